-- The figures that tell of an outage before it happens, one row a job type. Service only.

-- The oldest transaction, replication slot or prepared transaction that keeps dead row versions
-- from being removed. Of other roles' sessions PostgreSQL shows the transaction only to a member of
-- pg_read_all_stats: grant that to the owner of this function to see them all.
create or replace function forgeos.xmin_holder()
returns table (holder text, since timestamptz)
language sql stable
security definer
set search_path = ''
as $$
  select candidate.holder, candidate.since
  from (
    select format('pid %s (%s, %s)', a.pid, coalesce(a.usename::text, a.backend_type), coalesce(a.state, 'unknown')),
      a.xact_start, greatest(age(a.backend_xmin), age(a.backend_xid))
    from pg_catalog.pg_stat_activity a
    where a.pid <> pg_backend_pid()
      and (a.datname = current_database() or a.datname is null)
      and a.backend_type <> 'autovacuum worker'
      and (a.backend_xmin is not null or a.backend_xid is not null)
    union all
    select format('replication slot %s%s', s.slot_name, case when s.active then '' else ' (not active)' end),
      null::timestamptz, age(s.xmin)
    from pg_catalog.pg_replication_slots s
    where s.xmin is not null
    union all
    select format('prepared transaction %s (%s)', p.gid, p.owner), p.prepared, age(p.transaction)
    from pg_catalog.pg_prepared_xacts p
    where p.database = current_database()
  ) as candidate(holder, since, age)
  order by candidate.age desc, candidate.since
  limit 1
$$;

-- `waiting` is what could run now: with `running` it is the figure to scale by. `not_adopted` are
-- the rows that wait for `jobs adopt`. Types that no worker knows (adopted rows) are listed too.
create or replace view public.queue_health with (security_invoker = true) as
with pending as (
  -- Reads jobs_claim_idx alone.
  select
    j.job_type,
    count(*) filter (where j.run_at <= now()) as waiting,
    count(*) filter (where j.run_at > now()) as scheduled,
    count(*) filter (where j.run_at is null) as not_adopted,
    min(j.run_at) filter (where j.run_at <= now()) as oldest_waiting_since
  from public.jobs j
  where j.status = 'pending'
  group by j.job_type
), running as (
  select
    j.job_type,
    count(*) as running,
    count(*) filter (where j.locked_until is null or j.locked_until < now()) as expired_leases
  from public.jobs j
  where j.status = 'running'
  group by j.job_type
), failures as (
  select j.job_type, count(*) as failed_last_hour
  from public.jobs j
  where j.status = 'failed' and j.completed_at > now() - interval '1 hour'
  group by j.job_type
), known as (
  select t.name as job_type from public.job_types t
  union
  select p.job_type from pending p
  union
  select r.job_type from running r
)
select
  known.job_type,
  t.name is not null as known,
  coalesce(t.paused, false) as paused,
  coalesce(p.waiting, 0) as waiting,
  coalesce(p.scheduled, 0) as scheduled,
  coalesce(p.not_adopted, 0) as not_adopted,
  coalesce(r.running, 0) as running,
  coalesce(extract(epoch from now() - p.oldest_waiting_since), 0)::double precision as oldest_waiting_seconds,
  coalesce(r.expired_leases, 0) as expired_leases,
  coalesce(f.failed_last_hour, 0) as failed_last_hour,
  x.holder as xmin_holder,
  x.since as xmin_held_since
from known
left join public.job_types t on t.name = known.job_type
left join pending p on p.job_type is not distinct from known.job_type
left join running r on r.job_type is not distinct from known.job_type
left join failures f on f.job_type = known.job_type
left join forgeos.xmin_holder() x on true
order by known.job_type;

do $$
begin
  perform forgeos.close_to_users('function forgeos.xmin_holder()');
  perform forgeos.grant_to('service_role', 'execute on function forgeos.xmin_holder()');
  perform forgeos.grant_to('forgeos_worker', 'execute on function forgeos.xmin_holder()');
  perform forgeos.close_to_users('table public.queue_health');
  perform forgeos.grant_to('service_role', 'select on table public.queue_health');
  perform forgeos.grant_to('forgeos_worker', 'select on table public.queue_health');
end
$$;
