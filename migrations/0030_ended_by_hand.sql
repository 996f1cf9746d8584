-- A running job whose status somebody sets to `completed` or `failed` by hand has no holder any more who would say the last
-- words: its lease ends with it, what it had under way is closed, and its worker is told. Whoever settles a job in order
-- takes the lease off it in the same statement, and comes by here without a look.
create or replace function forgeos.end_job_by_hand()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  new.locked_by := null;
  new.locked_until := null;
  if new.status = 'failed' then
    new.error_code := coalesce(new.error_code, 'internal');
    new.error_message := coalesce(new.error_message, 'the status was set to "failed" by hand while the job ran');
  end if;
  update public.analyses
  set status = 'failed',
      metrics = '{"error": {"code": "cancelled", "message": "the job was ended by hand"}}'
  where job_id = new.id and status in ('pending', 'processing');
  update public.job_items set status = 'cancelled', locked_by = null, locked_until = null
  where job_id = new.id and status in ('pending', 'running');
  perform pg_notify('forgeos_cancel', new.id::text);
  perform pg_notify('forgeos_done', new.id::text);
  return new;
end
$$;

do $$
begin
  perform forgeos.close_to_users('function forgeos.end_job_by_hand()');
end
$$;

create or replace trigger jobs_end_by_hand
  before update of status on public.jobs
  for each row
  when (old.status = 'running' and new.status in ('completed', 'failed') and new.locked_by is not null)
  execute function forgeos.end_job_by_hand();
