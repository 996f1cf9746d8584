-- What somebody writes by hand into the leases of jobs and of their items (see 0023, 0027). A lease lasts an hour at most
-- (`worker.lease_seconds`), so nothing is held for longer than two by a hand that has slipped.
create or replace function forgeos.guard_job_times()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if new.locked_until > now() + interval '2 hours' then
    raise exception 'locked_until is when a lease runs out; it may be two hours ahead at most' using errcode = '23514';
  end if;
  raise exception 'created_at, started_at and completed_at must be finite' using errcode = '23514';
end
$$;

create or replace trigger jobs_guard_times
  before insert or update of created_at, started_at, completed_at, locked_until on public.jobs
  for each row
  when (new.locked_until > now() + interval '2 hours' or not isfinite(new.created_at)
        or not isfinite(new.started_at) or not isfinite(new.completed_at))
  execute function forgeos.guard_job_times();

-- At its bound the counter could not go on, and with one such item all of its claim would be refused.
create or replace function forgeos.guard_job_items()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if new.locked_until > now() + interval '2 hours' then
    raise exception 'locked_until is when a lease runs out; it may be two hours ahead at most' using errcode = '23514';
  end if;
  if tg_op = 'UPDATE' and new.attempt - old.attempt in (0, 1) then
    return new;
  end if;
  raise exception 'attempt is counted by the queue; by hand it may be set to 1000000000 at most' using errcode = '23514';
end
$$;

create or replace trigger job_items_guard
  before insert or update of attempt, locked_until on public.job_items
  for each row
  when (new.locked_until > now() + interval '2 hours' or new.attempt > 1000000000)
  execute function forgeos.guard_job_items();

do $$
begin
  perform forgeos.close_to_users('function forgeos.guard_job_times()');
  perform forgeos.close_to_users('function forgeos.guard_job_items()');
end
$$;
