-- The life of a job: pending -> running -> completed | failed | cancelled; running -> pending
-- (retry, release, lost lease); pending -> cancelled; failed | cancelled -> pending only inside
-- retry_job. A trigger keeps these arrows for everyone.

-- Kept from the contract, by name. With the WHEN below, a statement that sets the time itself (the
-- worker's all do) does not pay for the call.
create or replace function public.update_updated_at_column()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  new.updated_at = now();
  return new;
end
$$;

create or replace trigger update_jobs_updated_at
  before update on public.jobs
  for each row
  when (new.updated_at is not distinct from old.updated_at)
  execute function public.update_updated_at_column();

-- Called only for arrows that are not the worker's everyday ones: see the WHEN below.
create or replace function forgeos.guard_job_status()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  finished constant text[] := array['completed', 'failed', 'cancelled'];
begin
  if new.status = 'cancelled' and old.status = any (finished) then
    return null; -- too late to cancel, or cancelled already: nothing changes and nothing is wrong
  end if;

  if (old.status in ('pending', 'running') and new.status = 'cancelled')
    or (old.status = 'running' and new.status in ('completed', 'failed'))
  then
    -- Lease and attempt stay as they are: the holder of a cancelled job may still write its
    -- partial results, and proves itself by them.
    new.completed_at := coalesce(new.completed_at, now());
    new.results := coalesce(new.results, '{}'); -- the holder of a cancelled job replaces it by what was done
    return new;
  end if;

  if old.status = 'running' and new.status = 'pending' then
    new.run_at := coalesce(new.run_at, now()); -- adopted while running: null would never be claimed
    return new;
  end if;

  if old.status in ('failed', 'cancelled') and new.status = 'pending'
    and current_setting('forgeos.retrying', true) = new.id::text
  then
    return new;
  end if;

  -- A status that an adopted database brought along: the service may mend it.
  if coalesce(old.status, '') not in ('pending', 'running', 'completed', 'failed', 'cancelled')
    and new.status in ('pending', 'completed', 'failed', 'cancelled')
    and not forgeos.caller_is_user()
  then
    if new.status <> 'pending' then
      new.completed_at := coalesce(new.completed_at, now());
    end if;
    return new;
  end if;

  raise exception 'a job cannot go from "%" to "%"', coalesce(old.status, 'null'), coalesce(new.status, 'null')
    using errcode = '23514',
      hint = case when old.status in ('failed', 'cancelled') and new.status = 'pending'
        then 'Use retry_job(id).'
        else 'pending -> running -> completed | failed | cancelled; running -> pending; pending -> cancelled.' end;
end
$$;

-- Writes what the end of a cancelled job needs with no worker alive, and tells those that are.
create or replace function forgeos.after_job_cancelled()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if old.status = 'running' then
    insert into public.job_attempts (job_id, attempt, worker_id, started_at, ended_at, duration_ms, outcome)
    select new.id, new.attempt, old.locked_by, began.at, now(), extract(epoch from now() - began.at) * 1000, 'cancelled'
    -- `started_at` is that of the first attempt; when a later one began stands nowhere.
    from (select case when new.attempt = 1 then new.started_at end as at) as began
    on conflict (job_id, attempt) do nothing;
  end if;
  perform pg_notify('forgeos_cancel', new.id::text);
  perform pg_notify('forgeos_done', new.id::text);
  return null;
end
$$;

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'public.update_updated_at_column()', 'forgeos.guard_job_status()', 'forgeos.after_job_cancelled()'
  ] loop
    perform forgeos.close_to_users('function ' || signature);
  end loop;
end
$$;

-- The name sorts before update_jobs_updated_at, so this one sees the row as the statement made it.
-- Cancelling a cancelled job again (the same row in and out) goes to the guard as well, which drops
-- it; the holder's later write of results to a cancelled row is another row, and passes.
create or replace trigger jobs_guard_status
  before update of status on public.jobs
  for each row
  when (
    case
      when new.status is not distinct from old.status then new.status = 'cancelled' and new.* *= old.*
      when old.status = 'pending' then new.status is distinct from 'running'
      when old.status = 'running' and new.status in ('completed', 'failed') then new.completed_at is null
      when old.status = 'running' and new.status = 'pending' then new.run_at is null
      else true
    end
  )
  execute function forgeos.guard_job_status();

create or replace trigger jobs_after_cancelled
  after update of status on public.jobs
  for each row
  when (new.status = 'cancelled' and old.status in ('pending', 'running'))
  execute function forgeos.after_job_cancelled();
