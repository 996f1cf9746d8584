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

do $$
declare
  relation text;
begin
  foreach relation in array array['forgeos.upkeep', 'forgeos.schedules'] loop
    perform forgeos.open_table_to_service(relation);
    perform forgeos.grant_to('forgeos_worker', 'select, insert, update, delete on table ' || relation);
  end loop;
end
$$;
