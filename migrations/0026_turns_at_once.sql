-- Fair claims for many users at once: the turns of a claim are looked up in one statement and taken in another, where
-- each was a statement of its own. Whose turn it is, and what each gets, is as before (0022).

-- The next users who have a due job of this priority, `seed` the first of them, `last` at most the last; `most` of them.
create or replace function forgeos.next_turns(wanted_type text, level smallint, seed uuid, last uuid, most int)
returns uuid[]
language sql stable
set search_path = ''
as $$
  with recursive step (turn) as (
    select seed
    union all
    select (select coalesce(j.user_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff') from public.jobs j
            where j.status = 'pending' and j.job_type = wanted_type and j.priority = level and j.run_at <= now()
              and coalesce(j.user_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff') > step.turn
            order by coalesce(j.user_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff') limit 1)
    from step
    where step.turn is not null and (last is null or step.turn < last)
  )
  -- No more steps are made than are asked for.
  select array(select step.turn from step where step.turn is not null and (last is null or step.turn <= last) limit most)
$$;

-- Claims of each of these users up to `shares` due jobs, in their order, `free` in all; fewer where `most_per_user` leaves
-- less room. Answers the jobs in the order of the users, and whose they are.
create or replace function forgeos.claim_shares(
  wanted_type text, level smallint, users uuid[], shares int[], free int, worker uuid, lease_seconds float8,
  most_per_user int, out ids uuid[], out turns uuid[]
)
language plpgsql volatile
set search_path = ''
as $$
begin
  with picked as materialized (
    select row_number() over () as place, candidate.id, asked.turn
    from unnest(users, shares) as asked (turn, share)
    cross join lateral (
      select j.id from public.jobs j
      where j.status = 'pending' and j.job_type = wanted_type and j.priority = level and j.run_at <= now()
        and coalesce(j.user_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff') = asked.turn
      order by j.run_at, j.created_at
      -- Jobs of the service belong to no user and have no limit of one.
      limit case
        when most_per_user is null or asked.turn = 'ffffffff-ffff-ffff-ffff-ffffffffffff' then asked.share
        else greatest(0, least(asked.share, most_per_user - (
          select count(*)::int from public.jobs r
          where r.status = 'running' and r.job_type = wanted_type and r.user_id = asked.turn)))
      end
      for update skip locked
    ) candidate
    limit free
  ), claimed as (
    update public.jobs j
    set status = 'running', attempt = j.attempt + 1, locked_by = worker,
        locked_until = now() + make_interval(secs => lease_seconds),
        started_at = coalesce(j.started_at, now()), progress = null, updated_at = now()
    where j.id = any (array(select p.id from picked p))
    returning j.id
  )
  select coalesce(array_agg(p.id order by p.place), '{}'), coalesce(array_agg(p.turn order by p.place), '{}')
  into ids, turns
  from picked p join claimed c on c.id = p.id;
end
$$;

create or replace function forgeos.claim_in_turns(
  wanted_type text, free int, worker uuid, lease_seconds float8, after uuid, most_per_user int
)
returns setof public.jobs
language plpgsql volatile
set search_path = ''
as $$
declare
  level smallint;
  seed uuid;
  last uuid;
  asked int;
  users uuid[];
  shares int[];
  took record;
  takers uuid[];
  claimed uuid[] := '{}';
begin
  select j.priority into level from public.jobs j
  where j.status = 'pending' and j.job_type = wanted_type
  order by j.priority desc limit 1;

  while level is not null and free > 0 loop
    -- A job for everybody: those after `after`, then from the first one up to it.
    takers := '{}';
    for lap in 1 .. case when after is null then 1 else 2 end loop
      last := case when lap = 2 then after end;
      seed := forgeos.next_turn(wanted_type, level, case when lap = 1 then after end);
      while seed is not null and free > 0 and (last is null or seed <= last) loop
        asked := free;
        users := forgeos.next_turns(wanted_type, level, seed, last, asked);
        select * into took from forgeos.claim_shares(
          wanted_type, level, users, array_fill(1, array[cardinality(users)]), free, worker, lease_seconds, most_per_user);
        claimed := claimed || took.ids;
        takers := takers || took.turns;
        free := free - cardinality(took.ids);
        -- Rows that others hold, and limits, leave something over for those who come next.
        exit when cardinality(users) < asked;
        seed := forgeos.next_turn(wanted_type, level, users[cardinality(users)]);
      end loop;
    end loop;

    -- What is left, in equal shares for those who have more.
    while free > 0 and cardinality(takers) > 0 loop
      select array_agg(free / cardinality(takers) + case when place <= free % cardinality(takers) then 1 else 0 end
                       order by place)
      into shares
      from generate_series(1, cardinality(takers)) place;
      select * into took from forgeos.claim_shares(
        wanted_type, level, takers, shares, free, worker, lease_seconds, most_per_user);
      claimed := claimed || took.ids;
      select coalesce(array_agg(t.turn order by t.place), '{}') into takers
      from unnest(takers, shares) with ordinality t (turn, share, place)
      join (select turn, count(*) as jobs from unnest(took.turns) turn group by turn) got on got.turn = t.turn
      where got.jobs = t.share;
      free := free - cardinality(took.ids);
    end loop;

    select (select j.priority from public.jobs j
            where j.status = 'pending' and j.job_type = wanted_type and j.priority < level
            order by j.priority desc limit 1) into level;
  end loop;

  return query
    select j.* from unnest(claimed) with ordinality c (id, place) join public.jobs j on j.id = c.id order by c.place;
end
$$;

drop function if exists forgeos.claim_of_user(text, smallint, uuid, int, uuid, float8, int);

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'function forgeos.next_turns(text, smallint, uuid, uuid, int)',
    'function forgeos.claim_shares(text, smallint, uuid[], int[], int, uuid, float8, int)',
    'function forgeos.claim_in_turns(text, int, uuid, float8, uuid, int)'
  ] loop
    perform forgeos.close_to_users(signature);
    perform forgeos.grant_to('service_role', 'execute on ' || signature);
    perform forgeos.grant_to('forgeos_worker', 'execute on ' || signature);
  end loop;
end
$$;
