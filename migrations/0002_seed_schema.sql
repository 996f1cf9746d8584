-- The tables of the ForgeOS database contract, in an order that can be created (`jobs` before
-- `analyses`, which refers to it). On a database that has them already, with rows, no table, column,
-- row, value or index is changed: only grants, row-level security and the contract's own policies.

-- The columns' defaults use the built-in gen_random_uuid(), so a server without these extensions
-- (a slim build, no right to create them) still gets a working schema.
do $$
declare
  extension_name text;
begin
  foreach extension_name in array array['pgcrypto', 'uuid-ossp'] loop
    continue when exists (select 1 from pg_extension where extname = extension_name);
    begin
      if to_regnamespace('extensions') is not null then
        execute format('create extension if not exists %I with schema extensions', extension_name);
      else
        execute format('create extension if not exists %I', extension_name);
      end if;
    exception
      when insufficient_privilege or undefined_file or feature_not_supported then
        raise warning 'extension % is not installed (%); an administrator may run: create extension "%";',
          extension_name, sqlerrm, extension_name;
    end;
  end loop;
end
$$;

create table if not exists public.jobs (
  id uuid primary key default gen_random_uuid(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  status text default 'pending',
  job_type text,
  params jsonb,
  results jsonb,
  error_message text,
  user_id uuid
);

create table if not exists public.analyses (
  id uuid primary key default gen_random_uuid(),
  created_at timestamptz not null default now(),
  filename text,
  output_filename text,
  metrics jsonb,
  status text default 'completed',
  user_id uuid,
  job_id uuid references public.jobs(id) on delete set null
);

create table if not exists public.reports (
  id uuid primary key default gen_random_uuid(),
  created_at timestamptz not null default now(),
  analysis_id uuid references public.analyses(id) on delete cascade,
  url text,
  metadata jsonb,
  template text,
  user_id uuid
);

create table if not exists public.training_sessions (
  id uuid primary key default gen_random_uuid(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  notes text,
  data jsonb,
  status text default 'pending',
  model_version text,
  accuracy_metrics jsonb,
  user_id uuid
);

create table if not exists public.audit_log (
  id uuid primary key default gen_random_uuid(),
  created_at timestamptz not null default now(),
  user_id uuid,
  action text,
  table_name text,
  record_id uuid,
  changes jsonb
);

create index if not exists idx_analyses_user_id on public.analyses(user_id);
create index if not exists idx_analyses_created_at on public.analyses(created_at desc);
create index if not exists idx_analyses_status on public.analyses(status);
create index if not exists idx_analyses_job_id on public.analyses(job_id);
create index if not exists idx_jobs_user_id on public.jobs(user_id);
create index if not exists idx_jobs_status on public.jobs(status);
create index if not exists idx_jobs_created_at on public.jobs(created_at desc);
create index if not exists idx_reports_analysis_id on public.reports(analysis_id);
create index if not exists idx_reports_user_id on public.reports(user_id);
create index if not exists idx_reports_created_at on public.reports(created_at desc);
create index if not exists idx_training_sessions_user_id on public.training_sessions(user_id);
create index if not exists idx_training_sessions_status on public.training_sessions(status);

-- People who ran the contract's SQL as printed met `analyses` before `jobs`; some then left the
-- reference out. Old rows are not checked.
alter table public.analyses add column if not exists job_id uuid;
do $$
begin
  if not exists (
    select 1 from pg_constraint
    where conrelid = 'public.analyses'::regclass and confrelid = 'public.jobs'::regclass and contype = 'f'
  ) then
    alter table public.analyses add constraint analyses_job_id_fkey
      foreign key (job_id) references public.jobs(id) on delete set null not valid;
  end if;
end
$$;

-- Rights. Users read their own rows and write few columns; the rest is written by the service.
-- The contract's three policies on `analyses` are replaced by name (its `analyses_read_authenticated`
-- let every user read every row); policies of other people stay, and `doctor` names those that widen.
do $$
declare
  relation text;
  insert_columns text;
begin
  foreach relation in array array['public.jobs', 'public.analyses', 'public.reports',
                                  'public.training_sessions', 'public.audit_log'] loop
    perform forgeos.open_table_to_service(relation);
    perform forgeos.grant_to('authenticated', 'select on table ' || relation);
  end loop;
  drop policy if exists analyses_read_authenticated on public.analyses;
  drop policy if exists analyses_insert_authenticated on public.analyses;
  drop policy if exists analyses_update_own on public.analyses;

  perform forgeos.set_policy('public.analyses', 'analyses_read_own', 'select', 'authenticated',
    'using (user_id = (select auth.uid()))');
  perform forgeos.set_policy('public.analyses', 'analyses_insert_own', 'insert', 'authenticated',
    'with check (user_id = (select auth.uid()))');
  perform forgeos.set_policy('public.analyses', 'analyses_update_own', 'update', 'authenticated',
    'using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()))');
  perform forgeos.set_policy('public.analyses', 'analyses_delete_own', 'delete', 'authenticated',
    'using (user_id = (select auth.uid()))');
  perform forgeos.grant_to('authenticated', 'insert (filename), update (filename), delete on table public.analyses');

  perform forgeos.set_policy('public.jobs', 'jobs_read_own', 'select', 'authenticated',
    'using (user_id = (select auth.uid()))');
  perform forgeos.set_policy('public.jobs', 'jobs_insert_own', 'insert', 'authenticated',
    $rule$with check (user_id = (select auth.uid()) and status = 'pending')$rule$);
  perform forgeos.set_policy('public.jobs', 'jobs_cancel_own', 'update', 'authenticated',
    $rule$using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()) and status = 'cancelled')$rule$);
  -- Some of these columns are added by a later file, which grants them; this one may run again after it.
  select string_agg(quote_ident(attname), ', ') into insert_columns
  from pg_attribute
  where attrelid = 'public.jobs'::regclass and not attisdropped
    and attname in ('id', 'job_type', 'params', 'priority', 'run_at', 'unique_key', 'user_id', 'status');
  perform forgeos.grant_to('authenticated', format('insert (%s), update (status) on table public.jobs', insert_columns));

  perform forgeos.set_policy('public.reports', 'reports_read_own', 'select', 'authenticated',
    'using (user_id = (select auth.uid()))');
  perform forgeos.set_policy('public.audit_log', 'audit_log_read_own', 'select', 'authenticated',
    'using (user_id = (select auth.uid()))');

  perform forgeos.set_policy('public.training_sessions', 'training_sessions_read_own', 'select', 'authenticated',
    'using (user_id = (select auth.uid()))');
  perform forgeos.set_policy('public.training_sessions', 'training_sessions_insert_own', 'insert', 'authenticated',
    $rule$with check (user_id = (select auth.uid()) and status = 'pending')$rule$);
  perform forgeos.set_policy('public.training_sessions', 'training_sessions_update_own', 'update', 'authenticated',
    $rule$using (user_id = (select auth.uid()) and status = 'pending')
      with check (user_id = (select auth.uid()) and status = 'pending')$rule$);
  perform forgeos.grant_to('authenticated', 'insert (notes, data), update (notes, data) on table public.training_sessions');

  -- The worker fills in rows, and removes jobs and report rows that are past their time. It does
  -- not delete analyses or sessions, and puts jobs in only through enqueue_job.
  perform forgeos.grant_to('forgeos_worker', 'select, update, delete on table public.jobs');
  perform forgeos.grant_to('forgeos_worker', 'select, insert, update on table public.analyses');
  perform forgeos.grant_to('forgeos_worker', 'select, insert, update, delete on table public.reports');
  perform forgeos.grant_to('forgeos_worker', 'select, insert, update on table public.training_sessions');
  perform forgeos.grant_to('forgeos_worker', 'select, insert on table public.audit_log');
end
$$;

-- A signed-in user may write neither `user_id` nor `status`, so both are filled in: the owner from
-- the claims, and `pending`, because the default `completed` would be a lie without metrics.
create or replace function forgeos.fill_owner()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if forgeos.caller_is_user() then
    new.user_id := coalesce(new.user_id, auth.uid());
    new.status := 'pending';
  end if;
  return new;
end
$$;

do $$
begin
  perform forgeos.close_to_users('function forgeos.fill_owner()');
end
$$;

create or replace trigger analyses_fill_owner
  before insert on public.analyses
  for each row execute function forgeos.fill_owner();

create or replace trigger training_sessions_fill_owner
  before insert on public.training_sessions
  for each row execute function forgeos.fill_owner();
