-- A job that is deleted takes no analysis with it: they stay, with `job_id` null. Those that it leaves unfinished would
-- wait for ever, because nothing leads to them any more; they are closed as it goes. Before the row is deleted: the
-- foreign key's `set null` comes after it. Finished jobs leave nothing open, so deleting them costs nothing more.
create or replace function forgeos.close_analyses_of_deleted_job()
returns trigger language plpgsql security definer set search_path = '' as $$
begin
  update public.analyses
  set status = 'failed',
      metrics = '{"error": {"code": "cancelled", "message": "the job was deleted before this image was analysed"}}'
  where job_id = old.id and status in ('pending', 'processing');
  return old;
end
$$;

do $$ begin perform forgeos.close_to_users('function forgeos.close_analyses_of_deleted_job()'); end $$;

create or replace trigger jobs_before_delete
  before delete on public.jobs
  for each row when (old.status is distinct from 'completed' and old.status is distinct from 'failed')
  execute function forgeos.close_analyses_of_deleted_job();
