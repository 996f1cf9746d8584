-- A report of a job that is still under way waits as `pending` with `run_at` ahead. When that job ends, in whatever
-- way and by whomever, the report is due at once. Without this it would be found at its next look, up to half a minute
-- later; so it is only a shortcut, and passes by rows that somebody else holds.

-- 36 characters are a whole id: whatever else stands in params must not be too long for an index.
create index if not exists jobs_waiting_reports_idx on public.jobs ("left"(lower(params ->> 'job_id'), 36))
  where status = 'pending' and job_type = 'report_generation';

create or replace function forgeos.wake_waiting_reports()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  -- A report that was asked for at a later time has not begun to wait and stays where it is.
  update public.jobs j
  set run_at = now(), updated_at = now()
  where j.id in (
    select w.id
    from public.jobs w
    where w.status = 'pending' and w.job_type = 'report_generation'
      and "left"(lower(w.params ->> 'job_id'), 36) = new.id::text
      and w.progress ->> 'phase' = 'waiting_for_job' and w.run_at > now()
    for update skip locked
  );
  if found then
    perform pg_notify('forgeos_jobs', 'report_generation');
  end if;
  return null;
end
$$;

do $$
begin
  perform forgeos.close_to_users('function forgeos.wake_waiting_reports()');
end
$$;

create or replace trigger jobs_wake_waiting_reports
  after update of status on public.jobs
  for each row
  when (new.job_type = 'batch_analysis' and new.status in ('completed', 'failed', 'cancelled')
        and new.status is distinct from old.status)
  execute function forgeos.wake_waiting_reports();
