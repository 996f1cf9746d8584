-- What callers do with jobs, through SQL or PostgREST's /rpc. Each runs with the owner's rights and
-- therefore checks itself whose job it touches: a user's call on somebody else's job answers as it
-- does for a job that does not exist.

-- The id of the new job or, when the unique key is taken by a pending or running job of the same
-- type and user, the id of that one.
create or replace function public.enqueue_job(
  job_type text,
  params jsonb default '{}',
  user_id uuid default null,
  priority int default 0,
  run_at timestamptz default now(),
  unique_key text default null,
  max_attempts int default null
)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
  as_user constant boolean := forgeos.caller_is_user();
  owner uuid := enqueue_job.user_id;
  job_id uuid;
begin
  if as_user then
    owner := coalesce(owner, auth.uid());
    if owner is null or owner is distinct from auth.uid() then
      raise exception 'a job is enqueued for oneself only' using errcode = '42501';
    end if;
    if enqueue_job.max_attempts is not null then
      raise exception 'max_attempts is set by the service only' using errcode = '42501';
    end if;
  end if;

  -- The holder of the key may finish between the two statements: then the turn is ours.
  for turn in 1 .. 100 loop
    if enqueue_job.unique_key is not null then
      select j.id into job_id
      from public.jobs j
      where j.job_type = enqueue_job.job_type
        and coalesce(j.user_id, '00000000-0000-0000-0000-000000000000'::uuid)
          = coalesce(owner, '00000000-0000-0000-0000-000000000000'::uuid)
        and j.unique_key = enqueue_job.unique_key
        and j.status in ('pending', 'running');
      if found then
        return job_id;
      end if;
    end if;

    insert into public.jobs as j (job_type, params, user_id, priority, run_at, unique_key, max_attempts)
    values (
      enqueue_job.job_type, enqueue_job.params, owner, coalesce(enqueue_job.priority, 0),
      coalesce(enqueue_job.run_at, now()), enqueue_job.unique_key, enqueue_job.max_attempts
    )
    on conflict (job_type, coalesce(user_id, '00000000-0000-0000-0000-000000000000'::uuid), unique_key)
      where unique_key is not null and status in ('pending', 'running')
      do nothing
    returning j.id into job_id;
    if job_id is not null then
      return job_id;
    end if;
  end loop;
  raise exception 'unique_key "%" changed hands too often, try again', enqueue_job.unique_key using errcode = '40001';
end
$$;

-- True if this call cancelled the job; false if it had finished, is not yours, or does not exist.
create or replace function public.cancel_job(job_id uuid)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.jobs j
  set status = 'cancelled'
  where j.id = cancel_job.job_id
    and j.status in ('pending', 'running')
    and (not forgeos.caller_is_user() or j.user_id = auth.uid());
  return found;
end
$$;

-- Puts a failed or cancelled job back, with a fresh budget of attempts. Items that finished stay
-- finished. `attempt` is never lowered: it is the fencing token, and an old holder may still live.
-- False if the job is in another state, not yours, does not exist, or its unique key is held by
-- another job. A user's limits (max_pending_per_user, user_may_enqueue) hold as for a new job.
create or replace function public.retry_job(job_id uuid)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  as_user constant boolean := forgeos.caller_is_user();
  job public.jobs;
begin
  select * into job
  from public.jobs j
  where j.id = retry_job.job_id and (not as_user or j.user_id = auth.uid())
  for update;
  if not found or job.status is null or job.status not in ('failed', 'cancelled') then
    return false;
  end if;
  if as_user then
    perform forgeos.check_user_may_queue(job.job_type, job.user_id);
  elsif not exists (select 1 from public.job_types t where t.name = job.job_type) then
    perform forgeos.raise_unknown_job_type(job.job_type);
  end if;

  perform set_config('forgeos.retrying', retry_job.job_id::text, true);
  begin
    update public.jobs j
    set status = 'pending',
      run_at = now(),
      completed_at = null,
      error_message = null,
      error_code = null,
      results = null,
      progress = null,
      attempts_forgiven = j.attempt,
      crashes = 0,
      locked_by = null,
      locked_until = null
    where j.id = retry_job.job_id;
  exception when unique_violation then
    perform set_config('forgeos.retrying', '', true);
    return false;
  end;
  perform set_config('forgeos.retrying', '', true);

  update public.job_items i
  set status = 'pending', locked_by = null, locked_until = null, error = null, completed_at = null
  where i.job_id = retry_job.job_id and i.status in ('failed', 'cancelled', 'running');

  perform pg_notify('forgeos_jobs', job.job_type);
  return true;
end
$$;

-- Releases the pending jobs that were in the table before the worker's migrations; the number of
-- them. Those of an unknown type stay as they are. A row without run_at is never claimed.
create or replace function forgeos.adopt_pending_jobs()
returns bigint
language plpgsql
security definer
set search_path = ''
as $$
declare
  adopted bigint;
  adopted_types text;
begin
  with rows as (
    update public.jobs j
    set run_at = now()
    where j.status = 'pending' and j.run_at is null
      and exists (select 1 from public.job_types t where t.name = j.job_type)
    returning j.job_type
  )
  select count(*), string_agg(distinct job_type, ',') into adopted, adopted_types from rows;
  if adopted > 0 then
    perform pg_notify('forgeos_jobs', case when length(adopted_types) > 7900 then '*' else adopted_types end);
  end if;
  return adopted;
end
$$;

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'public.enqueue_job(text, jsonb, uuid, int, timestamptz, text, int)',
    'public.cancel_job(uuid)', 'public.retry_job(uuid)'
  ] loop
    perform forgeos.close_to_users('function ' || signature);
    perform forgeos.grant_to('authenticated', 'execute on function ' || signature);
    perform forgeos.grant_to('service_role', 'execute on function ' || signature);
    perform forgeos.grant_to('forgeos_worker', 'execute on function ' || signature);
  end loop;
  perform forgeos.close_to_users('function forgeos.adopt_pending_jobs()');
  perform forgeos.grant_to('service_role', 'execute on function forgeos.adopt_pending_jobs()');
  perform forgeos.grant_to('forgeos_worker', 'execute on function forgeos.adopt_pending_jobs()');
end
$$;
