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
