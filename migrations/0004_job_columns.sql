-- The queue's columns of `jobs`. Every one is nullable or has a constant default, so that a big
-- adopted table is not rewritten, and an old insert still works.

-- A column of the same name but another type would break every statement of the worker much later
-- and less clearly than this.
do $$
declare
  clash text;
begin
  select string_agg(format('%s is %s, wanted %s', a.attname, format_type(a.atttypid, a.atttypmod), wanted.type), '; ')
  into clash
  from (values
    ('priority', 'smallint'), ('run_at', 'timestamp with time zone'), ('attempt', 'integer'),
    ('attempts_forgiven', 'integer'), ('max_attempts', 'integer'), ('crashes', 'integer'),
    ('locked_by', 'uuid'), ('locked_until', 'timestamp with time zone'),
    ('started_at', 'timestamp with time zone'), ('completed_at', 'timestamp with time zone'),
    ('progress', 'jsonb'), ('error_code', 'text'), ('unique_key', 'text'), ('traceparent', 'text')
  ) as wanted(name, type)
  join pg_attribute a on a.attrelid = 'public.jobs'::regclass and a.attname = wanted.name and not a.attisdropped
  where format_type(a.atttypid, a.atttypmod) <> wanted.type;
  if clash is not null then
    raise exception 'public.jobs has columns of another type: %', clash
      using errcode = '42804', hint = 'Rename these columns, then migrate again.';
  end if;
end
$$;

alter table public.jobs
  add column if not exists priority smallint not null default 0,
  -- No default yet: the rows that are here already keep null, which means "waits for adoption".
  -- `run_at <= now()` is never true of null and null sorts last in the claim index, so waiting for
  -- adoption costs a claim nothing, and a row cannot be claimed by accident. New rows get the
  -- default below, and the insert trigger replaces an explicit null.
  add column if not exists run_at timestamptz,
  add column if not exists attempt int not null default 0,
  add column if not exists attempts_forgiven int not null default 0,
  add column if not exists max_attempts int,
  add column if not exists crashes int not null default 0,
  add column if not exists locked_by uuid,
  add column if not exists locked_until timestamptz,
  add column if not exists started_at timestamptz,
  add column if not exists completed_at timestamptz,
  add column if not exists progress jsonb,
  add column if not exists error_code text,
  add column if not exists unique_key text,
  add column if not exists traceparent text;

alter table public.jobs alter column run_at set default now();

-- Constraints are not checked on old rows (no scan under lock), and hold for every new or changed one.
do $$
begin
  if not exists (select 1 from pg_constraint
                 where conrelid = 'public.jobs'::regclass and conname = 'jobs_run_at_finite') then
    -- Infinite times, and years that have not four digits, cannot be read by most clients. Null
    -- passes: see above.
    alter table public.jobs add constraint jobs_run_at_finite
      check (run_at >= '0001-01-01 00:00:00+00' and run_at < '10000-01-01 00:00:00+00') not valid;
  end if;
  if not exists (select 1 from pg_constraint
                 where conrelid = 'public.jobs'::regclass and conname = 'jobs_max_attempts_positive') then
    alter table public.jobs add constraint jobs_max_attempts_positive check (max_attempts >= 1) not valid;
  end if;
  if not exists (select 1 from pg_constraint
                 where conrelid = 'public.jobs'::regclass and conname = 'jobs_unique_key_short') then
    -- What fits into an index entry, said clearly.
    alter table public.jobs add constraint jobs_unique_key_short check (octet_length(unique_key) <= 2000) not valid;
  end if;
  if not exists (select 1 from pg_constraint
                 where conrelid = 'public.jobs'::regclass and conname = 'jobs_job_type_fkey') then
    -- Checked at commit: the statement trigger on inserts, which names the allowed types, speaks
    -- first. It looks only at new rows and at changes of job_type, so rows of an unknown type stay.
    alter table public.jobs add constraint jobs_job_type_fkey
      foreign key (job_type) references public.job_types(name)
      deferrable initially deferred not valid;
  end if;
end
$$;

-- A claim walks this index only: the rows that may run, in the order in which they run.
create index if not exists jobs_claim_idx on public.jobs (job_type, priority desc, run_at, created_at)
  where status = 'pending';

-- At most one pending or running job per type, user and key; jobs of the service count as one user.
create unique index if not exists jobs_unique_key_idx on public.jobs
  (job_type, coalesce(user_id, '00000000-0000-0000-0000-000000000000'::uuid), unique_key)
  where unique_key is not null and status in ('pending', 'running');

-- Heartbeats and the sweep look at running rows. Nothing that a heartbeat writes (locked_until,
-- progress, updated_at) stands in any index, so a heartbeat stays a heap-only (HOT) update.
create index if not exists jobs_running_idx on public.jobs (locked_by) where status = 'running';

-- For max_pending_per_user. Jobs of the service are not in it.
create index if not exists jobs_pending_user_idx on public.jobs (user_id, job_type)
  where status = 'pending' and user_id is not null;

-- Recent failures, for queue_health; only a failing job pays for it.
create index if not exists jobs_failed_idx on public.jobs (completed_at) where status = 'failed';

-- A job is written three times or more (insert, claim, heartbeats, completion). Free room in the
-- page keeps heartbeats in it. The default autovacuum waits for a fifth of the table: after a
-- million kept rows that is 200,000 dead versions in front of every claim. So it starts after a
-- fixed number, whatever the size (finished pages are all-visible and skipped), and may work fast.
alter table public.jobs set (
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_limit = 2000,
  autovacuum_vacuum_insert_scale_factor = 0.05,
  autovacuum_analyze_scale_factor = 0.01,
  autovacuum_analyze_threshold = 5000
);

do $$
begin
  perform forgeos.grant_to('authenticated', 'insert (priority, run_at, unique_key) on table public.jobs');
end
$$;
