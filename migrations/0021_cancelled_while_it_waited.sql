-- A job that had been begun, went back to `pending` and is cancelled there has no holder to say the
-- last words: its unfinished analyses and parts are closed at once.
create or replace function forgeos.close_parts_of_cancelled_job()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.analyses
  set status = 'failed',
      metrics = '{"error": {"code": "cancelled", "message": "the job was cancelled"}}'
  where job_id = new.id and status in ('pending', 'processing');
  update public.job_items set status = 'cancelled', locked_by = null, locked_until = null
  where job_id = new.id and status in ('pending', 'running');
  return null;
end
$$;

do $$
begin
  perform forgeos.close_to_users('function forgeos.close_parts_of_cancelled_job()');
end
$$;

create or replace trigger jobs_close_parts_of_cancelled
  after update of status on public.jobs
  for each row
  when (old.status = 'pending' and new.status = 'cancelled' and old.attempt > 0)
  execute function forgeos.close_parts_of_cancelled_job();
