-- Fair claims, a choice of each job type: users take turns, so that the ten thousand jobs of one do not keep the one job
-- of another waiting. Priority still comes first; within it the next job is that of the user whose turn it is.

alter table public.job_types add column if not exists fair boolean not null default false;
comment on column public.job_types.fair is
  'whether users take turns within a priority; otherwise jobs run in the order of run_at and created_at';

-- The turns of users within a priority, and the order of jobs within a turn. Jobs of the service are those of one user,
-- who comes last.
create index if not exists jobs_turns_idx on public.jobs
  (job_type, priority desc, coalesce(user_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid), run_at, created_at)
  where status = 'pending';

-- The user after `turn` (null: the first one) who has a due job of this priority. Passes over rows that are not due
-- inside of the index, without reading the table.
create or replace function forgeos.next_turn(wanted_type text, level smallint, turn uuid)
returns uuid
language plpgsql stable
set search_path = ''
as $$
begin
  if turn is null then
    return (select coalesce(j.user_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff') from public.jobs j
            where j.status = 'pending' and j.job_type = wanted_type and j.priority = level and j.run_at <= now()
            order by coalesce(j.user_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff') limit 1);
  end if;
  return (select coalesce(j.user_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff') from public.jobs j
          where j.status = 'pending' and j.job_type = wanted_type and j.priority = level and j.run_at <= now()
            and coalesce(j.user_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff') > turn
          order by coalesce(j.user_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff') limit 1);
end
$$;

-- Claims up to `share` due jobs of one user, in their order; fewer where `most_per_user` leaves less room.
create or replace function forgeos.claim_of_user(
  wanted_type text, level smallint, turn uuid, share int, worker uuid, lease_seconds float8, most_per_user int
)
returns setof public.jobs
language plpgsql volatile
set search_path = ''
as $$
begin
  -- Jobs of the service belong to no user and have no limit of one.
  if most_per_user is not null and turn <> 'ffffffff-ffff-ffff-ffff-ffffffffffff' then
    share := least(share, most_per_user - (
      select count(*)::int from public.jobs r
      where r.status = 'running' and r.job_type = wanted_type and r.user_id = turn));
  end if;
  if share <= 0 then
    return;
  end if;
  return query
    with due as materialized (
      select array(
        select j.id from public.jobs j
        where j.status = 'pending' and j.job_type = wanted_type and j.priority = level and j.run_at <= now()
          and coalesce(j.user_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff') = turn
        order by j.run_at, j.created_at
        limit share
        for update skip locked
      ) as ids
    )
    update public.jobs j
    set status = 'running', attempt = j.attempt + 1, locked_by = worker,
        locked_until = now() + make_interval(secs => lease_seconds),
        started_at = coalesce(j.started_at, now()), progress = null, updated_at = now()
    where j.id = any ((select ids from due)::uuid[])
    returning j.*;
end
$$;

-- Claims up to `free` due jobs of one type, in turns that go on after the user `after`: a job for everybody, then what
-- is left in equal shares for those who have more. Returns the rows in the order of the turns.
create or replace function forgeos.claim_in_turns(
  wanted_type text, free int, worker uuid, lease_seconds float8, after uuid, most_per_user int
)
returns setof public.jobs
language plpgsql volatile
set search_path = ''
as $$
declare
  level smallint;
  turn uuid;
  wrapped boolean;
  share int;
  took int;
  to_share int;
  takers uuid[];
  hungry uuid[];
begin
  select j.priority into level from public.jobs j
  where j.status = 'pending' and j.job_type = wanted_type
  order by j.priority desc limit 1;

  while level is not null and free > 0 loop
    takers := '{}';
    turn := after;
    wrapped := turn is null;
    while free > 0 loop
      turn := forgeos.next_turn(wanted_type, level, turn);
      if turn is null and not wrapped then
        wrapped := true;
        continue;
      end if;
      exit when turn is null or (wrapped and turn > after);
      return query select * from forgeos.claim_of_user(wanted_type, level, turn, 1, worker, lease_seconds, most_per_user);
      get diagnostics took = row_count;
      if took > 0 then
        free := free - took;
        takers := takers || turn;
      end if;
    end loop;

    while free > 0 and cardinality(takers) > 0 loop
      hungry := '{}';
      to_share := free;
      for i in 1 .. cardinality(takers) loop
        share := to_share / cardinality(takers) + case when i <= to_share % cardinality(takers) then 1 else 0 end;
        exit when share = 0;
        return query select * from forgeos.claim_of_user(wanted_type, level, takers[i], share, worker, lease_seconds, most_per_user);
        get diagnostics took = row_count;
        free := free - took;
        if took = share then
          hungry := hungry || takers[i];
        end if;
      end loop;
      takers := hungry;
    end loop;

    select (select j.priority from public.jobs j
            where j.status = 'pending' and j.job_type = wanted_type and j.priority < level
            order by j.priority desc limit 1) into level;
  end loop;
end
$$;

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'function forgeos.next_turn(text, smallint, uuid)',
    'function forgeos.claim_of_user(text, smallint, uuid, int, uuid, float8, int)',
    'function forgeos.claim_in_turns(text, int, uuid, float8, uuid, int)'
  ] loop
    perform forgeos.close_to_users(signature);
    perform forgeos.grant_to('service_role', 'execute on ' || signature);
    perform forgeos.grant_to('forgeos_worker', 'execute on ' || signature);
  end loop;
end
$$;
