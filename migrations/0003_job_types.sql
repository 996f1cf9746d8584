-- A queue's settings, one row a job type, editable by SQL while workers run.

create table if not exists public.job_types (
  -- The words of a type travel in notifications, separated by commas.
  name text primary key check (name ~ '^[A-Za-z0-9_.:-]{1,100}$'),
  description text,
  max_attempts int not null default 3 check (max_attempts >= 1),
  timeout_seconds int not null default 3600 check (timeout_seconds >= 1),
  paused boolean not null default false,
  max_running int check (max_running >= 0),
  max_running_per_user int check (max_running_per_user >= 0),
  max_pending_per_user int check (max_pending_per_user >= 0),
  user_may_enqueue boolean not null default true
);

-- An operator's own settings stay as they are.
insert into public.job_types (name, description, timeout_seconds) values
  ('batch_analysis', 'Analyse many images, one row of analyses each', 21600),
  ('report_generation', 'Write reports of analyses as PDF, XLSX or CSV', 3600),
  ('model_training', 'Train a model from labelled images and evaluate it', 7200),
  ('data_export', 'Export rows as CSV, JSON lines, XLSX or Parquet', 3600)
on conflict (name) do nothing;

do $$
begin
  -- Users do not read the settings: explain_job tells them what concerns their own job.
  perform forgeos.open_table_to_service('public.job_types');
  perform forgeos.grant_to('forgeos_worker', 'select on table public.job_types');
end
$$;
