-- What somebody writes by hand into a row's times and token (see 0023): no lease that never ends, no time that no client
-- can read or compute with, no attempt that comes again.
create or replace function forgeos.guard_job_times()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if new.locked_until > now() + interval '1 day' then
    raise exception 'locked_until is when a lease runs out; it may be a day ahead at most' using errcode = '23514';
  end if;
  raise exception 'created_at, started_at and completed_at must be finite' using errcode = '23514';
end
$$;

create or replace trigger jobs_guard_times
  before insert or update of created_at, started_at, completed_at, locked_until on public.jobs
  for each row
  when (new.locked_until > now() + interval '1 day' or not isfinite(new.created_at)
        or not isfinite(new.started_at) or not isfinite(new.completed_at))
  execute function forgeos.guard_job_times();

-- The fencing token: lowered, it would be given out a second time, and the write of an old attempt would pass.
create or replace function forgeos.guard_job_attempt()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  raise exception 'attempt is never lowered; retry_job gives a job its attempts back' using errcode = '23514';
end
$$;

create or replace trigger jobs_guard_attempt
  before update of attempt on public.jobs
  for each row
  when (new.attempt < old.attempt)
  execute function forgeos.guard_job_attempt();

do $$
begin
  perform forgeos.close_to_users('function forgeos.guard_job_times()');
  perform forgeos.close_to_users('function forgeos.guard_job_attempt()');
end
$$;
