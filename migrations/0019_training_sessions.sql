-- The end of a training session whose job ends without a model. Which job trains a session stands in `job_items`: item
-- `training_session`, whose `result_id` is the session.

create index if not exists job_items_training_session_idx on public.job_items (result_id)
  where item = 'training_session';

-- A batch names a model by its version. The row of the file is what counts: it stays when its job is deleted.
create index if not exists artifacts_model_idx on public.artifacts (item) where kind = 'model';

-- However the job ends: settled by its worker, swept, cancelled with no worker alive, deleted. A session that is
-- completed stays so, one that another job trains meanwhile goes on, and the version of an earlier training stays.
create or replace function forgeos.close_training_session()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  reason jsonb;
begin
  if tg_op = 'DELETE' then
    reason := jsonb_build_object('code', 'cancelled', 'message', 'the job was deleted');
  elsif new.status = 'cancelled' then
    reason := jsonb_build_object('code', 'cancelled', 'message', 'the job was cancelled');
  else
    reason := jsonb_build_object(
      'code', coalesce(new.error_code, 'internal'),
      'message', coalesce(new.error_message, 'no reason was noted'));
  end if;
  update public.training_sessions s
  set status = 'failed', updated_at = now(),
      -- The figures of a model that was trained before, and still is there, stay beside the error.
      accuracy_metrics = case when s.model_version is null then '{}' else coalesce(s.accuracy_metrics, '{}') end
                         || jsonb_build_object('error', reason)
  from public.job_items i
  where i.job_id = old.id and i.item = 'training_session' and s.id = i.result_id and s.status = 'running'
    and not exists (
      select from public.job_items other
      where other.item = 'training_session' and other.result_id = s.id
        and other.job_id <> old.id and other.status = 'running');
  if tg_op = 'DELETE' then
    return old;
  end if;
  update public.job_items set status = 'cancelled', locked_by = null, locked_until = null
  where job_id = old.id and item = 'training_session' and status = 'running';
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
