-- A job that is deleted while it is under way leaves its analyses behind without it: nobody could close them later.
create or replace function forgeos.close_analyses_of_deleted_job()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.analyses
  set status = 'failed',
      metrics = '{"error": {"code": "cancelled", "message": "the job was deleted"}}'
  where job_id = old.id and status in ('pending', 'processing');
  return old;
end
$$;

do $$
begin
  perform forgeos.close_to_users('function forgeos.close_analyses_of_deleted_job()');
end
$$;

create or replace trigger jobs_close_analyses
  before delete on public.jobs
  for each row
  when (old.status in ('pending', 'running'))
  execute function forgeos.close_analyses_of_deleted_job();
