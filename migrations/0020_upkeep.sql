-- What exactly one worker does at a time, and schedules that fire once however many workers look.

-- A task of upkeep is free when it is due and nobody holds it; who takes it holds it for a set time,
-- so that a worker that dies in it keeps it from nobody for long.
create table if not exists forgeos.upkeep (
  task text primary key,
  due_at timestamptz not null default now(),
  held_by uuid,
  held_until timestamptz,
  started_at timestamptz,
  ended_at timestamptz,
  outcome text
);

-- The last moment of a schedule that was fired. A schedule that is new here begins now.
create table if not exists forgeos.schedules (
  name text primary key,
  last_due_at timestamptz not null default now(),
  last_job_id uuid
);

-- Fires a moment of a schedule, once: whoever moves `last_due_at` enqueues the service job. While the
-- job of an earlier moment is not finished, its unique key is taken, and the moment is passed over.
-- The worker's role inserts jobs in no other way.
create or replace function forgeos.fire_schedule(
  schedule_name text, due_at timestamptz, job_id uuid, job_type text, params jsonb
)
returns text
language plpgsql volatile
security definer
set search_path = ''
as $$
begin
  update forgeos.schedules s set last_due_at = fire_schedule.due_at
  where s.name = schedule_name and s.last_due_at < fire_schedule.due_at;
  if not found then
    return 'already';
  end if;
  insert into public.jobs (id, job_type, params, unique_key)
  values (fire_schedule.job_id, fire_schedule.job_type, fire_schedule.params, 'schedule ' || schedule_name)
  on conflict do nothing;
  if not found then
    return 'still_running';
  end if;
  update forgeos.schedules s set last_job_id = fire_schedule.job_id where s.name = schedule_name;
  return 'enqueued';
end
$$;

do $$
declare
  relation text;
  signature constant text := 'function forgeos.fire_schedule(text, timestamptz, uuid, text, jsonb)';
begin
  foreach relation in array array['forgeos.upkeep', 'forgeos.schedules'] loop
    perform forgeos.open_table_to_service(relation);
    perform forgeos.grant_to('forgeos_worker', 'select, insert, update on table ' || relation);
  end loop;
  perform forgeos.close_to_users(signature);
  perform forgeos.grant_to('service_role', 'execute on ' || signature);
  perform forgeos.grant_to('forgeos_worker', 'execute on ' || signature);
end
$$;
