-- Which job trains a session, and the end of a session whose job ends without a model.

alter table public.training_sessions
  add column if not exists job_id uuid references public.jobs(id) on delete set null;

create index if not exists idx_training_sessions_job_id on public.training_sessions (job_id) where job_id is not null;

-- A batch names a model by its version. The row of the file is what counts: it stays when its job is pruned.
create index if not exists artifacts_model_idx on public.artifacts (item) where kind = 'model';

-- However the job ends: settled by its worker, swept, cancelled with no worker alive, deleted. A session that is
-- completed stays so, and the version of an earlier training stays with it.
create or replace function forgeos.close_training_session()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  error jsonb;
begin
  if tg_op = 'DELETE' then
    error := jsonb_build_object('code', 'cancelled', 'message', 'the job was deleted');
  elsif new.status = 'cancelled' then
    error := jsonb_build_object('code', 'cancelled', 'message', 'the job was cancelled');
  else
    error := jsonb_build_object(
      'code', coalesce(new.error_code, 'internal'),
      'message', coalesce(new.error_message, 'no reason was noted'));
  end if;
  update public.training_sessions
  set status = 'failed', accuracy_metrics = jsonb_build_object('error', error), updated_at = now()
  where job_id = old.id and status = 'running';
  if tg_op = 'DELETE' then
    return old;
  end if;
  return null;
end
$$;

do $$
begin
  perform forgeos.close_to_users('function forgeos.close_training_session()');
end
$$;

create or replace trigger jobs_close_training_session
  after update of status on public.jobs
  for each row
  when (
    new.job_type = 'model_training' and old.status in ('pending', 'running')
    and new.status in ('failed', 'cancelled')
  )
  execute function forgeos.close_training_session();

create or replace trigger jobs_close_training_session_of_deleted
  before delete on public.jobs
  for each row
  when (old.job_type = 'model_training' and old.status in ('pending', 'running'))
  execute function forgeos.close_training_session();
