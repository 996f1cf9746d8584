-- Why a job waits, told more fully: what the last attempt met, and a store that is away.

-- Job types of which a worker claims nothing for now, because the object store was away for the last jobs that it ran.
alter table public.workers add column if not exists store_away text[] not null default '{}';
comment on column public.workers.store_away is 'job types of which this worker claims nothing for now: the object store is away';

-- As before; besides: `scheduled` says what the last attempt met, `store_unavailable` is new, and jobs of the service,
-- which have no limit of one user, are not told of one.
create or replace function public.explain_job(job_id uuid)
returns table (reason text, detail text)
language plpgsql
security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
  as_user constant boolean := forgeos.caller_is_user();
  -- A worker is taken for dead after this time without a heartbeat: twice the default lease.
  silence constant interval := interval '60 seconds';
  job public.jobs;
  settings public.job_types;
  worker public.workers;
  awaited public.jobs;
  running bigint;
  attempts_allowed int;
  found_reason boolean := false;
begin
  select * into job from public.jobs j
  where j.id = explain_job.job_id and (not as_user or j.user_id = auth.uid());
  if not found then
    return;
  end if;

  if job.status in ('completed', 'failed', 'cancelled') then
    return query select 'finished', format('it is %s%s%s', job.status,
      coalesce(' since ' || to_char(job.completed_at at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS "UTC"'), ''),
      coalesce(': ' || job.error_message, ''));
    return;
  end if;

  if job.status = 'running' then
    select * into worker from public.workers w where w.id = job.locked_by;
    return query select
      case when job.locked_until > now() then 'running' else 'lease_expired' end,
      case when job.locked_until > now() then 'its lease is held by ' else 'its lease has run out and it will be taken up again; it was held by ' end
        || case when as_user then 'a worker'
                else coalesce(worker.host || ' (' || job.locked_by || ')', job.locked_by::text, 'nobody') end
        || coalesce(', last seen ' || extract(epoch from now() - worker.last_heartbeat_at)::int || ' s ago',
                    ', of which nothing is known; the lease runs out '
                      || to_char(job.locked_until at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS "UTC"'), '');
    return;
  end if;

  if job.status is distinct from 'pending' then
    return query select 'unknown_status', format('its status "%s" is none that a worker knows', coalesce(job.status, 'null'));
    return;
  end if;

  select * into settings from public.job_types t where t.name = job.job_type;
  if not found then
    return query select 'unknown_type', format('its type "%s" is none that a worker knows', coalesce(job.job_type, 'null'));
    return;
  end if;

  if job.run_at is null then
    found_reason := true;
    return query select 'not_adopted', 'it has no time to run at, like rows that were in the table before the worker came; it waits for `forgeos-worker jobs adopt`';
  elsif job.run_at > now() then
    found_reason := true;
    return query select 'scheduled', format('it runs not before %s%s%s',
      to_char(job.run_at at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS "UTC"'),
      case when job.attempt - job.attempts_forgiven > 0 then format(' (after %s of its attempts)', job.attempt - job.attempts_forgiven) else '' end,
      case when job.attempt > 0 then coalesce('; the last time: ' || job.error_message, '') else '' end);
  end if;

  if settings.paused then
    found_reason := true;
    return query select 'paused', format('the type %s is paused', job.job_type);
  end if;

  if not exists (select 1 from public.workers w
                 where w.last_heartbeat_at > now() - silence and job.job_type = any (w.job_types)) then
    found_reason := true;
    return query select 'no_worker', format('no live worker takes jobs of type %s', job.job_type)
      || case when as_user then '' else coalesce((
           select format('; the last one, %s, was seen %s s ago', coalesce(w.host, w.id::text),
                         extract(epoch from now() - w.last_heartbeat_at)::int)
           from public.workers w where job.job_type = any (w.job_types)
           order by w.last_heartbeat_at desc limit 1), '') end;
  end if;

  if exists (select 1 from public.workers w
             where w.last_heartbeat_at > now() - silence and job.job_type = any (w.job_types))
    and not exists (select 1 from public.workers w
                    where w.last_heartbeat_at > now() - silence and job.job_type = any (w.job_types)
                      and not job.job_type = any (w.store_away)) then
    found_reason := true;
    return query select 'store_unavailable', format(
      'the object store is away for jobs of type %s; they go on when it is back, and it is asked every half minute', job.job_type);
  end if;

  if settings.max_running is not null then
    select count(*) into running from public.jobs j where j.status = 'running' and j.job_type = job.job_type;
    if running >= settings.max_running then
      found_reason := true;
      return query select 'type_limit', case when as_user then format('as many jobs of type %s are running as may', job.job_type)
        else format('%s of type %s are running, and %s may', running, job.job_type, settings.max_running) end;
    end if;
  end if;

  -- Jobs of the service belong to no user and have no share.
  if settings.max_running_per_user is not null and job.user_id is not null then
    select count(*) into running from public.jobs j
    where j.status = 'running' and j.job_type = job.job_type and j.user_id = job.user_id;
    if running >= settings.max_running_per_user then
      found_reason := true;
      return query select 'user_limit', format('%s of this user''s jobs of type %s are running, and %s may',
        running, job.job_type, settings.max_running_per_user);
    end if;
  end if;

  -- A report of a job waits until that one has finished. Only an own job is told of.
  if job.job_type = 'report_generation'
    and job.params ->> 'job_id' ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then
    select * into awaited from public.jobs j
    where j.id = (job.params ->> 'job_id')::uuid
      and (job.user_id is null or j.user_id = job.user_id)
      and j.status in ('pending', 'running');
    if found then
      found_reason := true;
      return query select 'waiting_for_job', format('the job %s is still %s', awaited.id, awaited.status);
    end if;
  end if;

  attempts_allowed := coalesce(job.max_attempts, settings.max_attempts);
  if job.attempt - job.attempts_forgiven >= attempts_allowed then
    found_reason := true;
    return query select 'attempts_spent', format('all %s of its attempts are spent', attempts_allowed);
  end if;
  if job.crashes >= 3 then
    found_reason := true;
    return query select 'crashes_spent', format('it was lost with its worker %s times', job.crashes);
  elsif job.crashes > 0 then
    return query select 'runs_alone', 'its worker was lost while it ran: it waits for a worker that has nothing else to do';
  end if;

  if not found_reason then
    return query select 'waiting_for_slot', format('nothing holds it back%s: it waits for a free slot', case
      when as_user then '' else format(', %s jobs of its type are due before it', (
        select count(*) from (
          select 1 from public.jobs j
          where j.job_type = job.job_type and j.status = 'pending' and j.run_at <= now()
            and (-j.priority, j.run_at, j.created_at) < (-job.priority, job.run_at, job.created_at)
          limit 10000 -- enough to know, and the question stays cheap
        ) as before)) end);
  end if;
end
$$;

do $$
begin
  perform forgeos.close_to_users('function public.explain_job(uuid)');
  perform forgeos.grant_to('authenticated', 'execute on function public.explain_job(uuid)');
  perform forgeos.grant_to('service_role', 'execute on function public.explain_job(uuid)');
  perform forgeos.grant_to('forgeos_worker', 'execute on function public.explain_job(uuid)');
end
$$;
