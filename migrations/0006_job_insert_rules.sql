-- What an insert into `jobs` must hold, and the wake-up that follows it.
--
-- Two triggers, by cost. The row trigger runs PL/pgSQL only for what a user inserts and for rows
-- that need filling in: for the plain insert of a service its WHEN is false, which costs well under
-- a microsecond a row. The statement trigger looks at all new rows of a statement at once.

-- Error 22023 with the types to choose from: to a user, those that users may enqueue.
create or replace function forgeos.raise_unknown_job_type(job_type text)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  as_user boolean := forgeos.caller_is_user();
  allowed text;
begin
  select string_agg(t.name, ', ' order by t.name) into allowed
  from public.job_types t
  where t.user_may_enqueue or not as_user;
  raise exception 'unknown job type "%"; allowed: %', coalesce(job_type, 'null'), coalesce(allowed, 'none')
    using errcode = '22023';
end
$$;

-- May this user have one more pending job of this type? Raises if not. The cap is strict: with a
-- cap set, the user's inserts of that type take turns until each has committed.
create or replace function forgeos.check_user_may_queue(job_type text, user_id uuid)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  settings public.job_types;
  pending bigint;
begin
  select * into settings from public.job_types t where t.name = check_user_may_queue.job_type;
  if not found then
    perform forgeos.raise_unknown_job_type(job_type);
  end if;
  if not settings.user_may_enqueue then
    raise exception 'job type "%" is not for users', job_type using errcode = '42501';
  end if;
  if settings.max_pending_per_user is not null then
    perform pg_advisory_xact_lock(hashtextextended('forgeos pending ' || job_type || ' ' || user_id, 0));
    select count(*) into pending
    from public.jobs j
    where j.user_id = check_user_may_queue.user_id
      and j.job_type = check_user_may_queue.job_type
      and j.status = 'pending';
    if pending >= settings.max_pending_per_user then
      -- PostgREST answers SQLSTATE PT429 with HTTP 429 Too Many Requests.
      raise exception 'you have % pending jobs of type "%", and % are allowed: wait for one to start, or cancel one',
        pending, job_type, settings.max_pending_per_user using errcode = 'PT429';
    end if;
  end if;
end
$$;

create or replace function forgeos.before_job_insert()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  new.status := coalesce(new.status, 'pending');
  new.run_at := coalesce(new.run_at, now());
  if forgeos.caller_is_user() then
    new.user_id := coalesce(new.user_id, auth.uid());
    -- Before anything that would tell about somebody else's jobs.
    if new.user_id is null or new.user_id is distinct from auth.uid() then
      raise exception 'a job is inserted for oneself only' using errcode = '42501';
    end if;
    if new.status <> 'pending' then
      raise exception 'a job is inserted as "pending", not as "%"', new.status using errcode = '23514';
    end if;
    if new.priority not between -100 and 0 then
      raise exception 'priority must be between -100 and 0, not %', new.priority using errcode = '23514';
    end if;
    if new.run_at > now() + interval '1 year' then
      raise exception 'run_at must be at most a year ahead' using errcode = '23514';
    end if;
    new.run_at := greatest(new.run_at, now());
    perform forgeos.check_user_may_queue(new.job_type, new.user_id);
  elsif new.status in ('completed', 'failed', 'cancelled') then
    -- History that the service brings along: it is never run.
    new.completed_at := coalesce(new.completed_at, now());
  elsif new.status <> 'pending' then
    raise exception 'a job is inserted as "pending" (or, by the service, finished), not as "%"', new.status
      using errcode = '23514';
  end if;
  return new;
end
$$;

-- Refuses unknown types, then tells listening workers once a statement which types are due: the
-- payload is a list with commas, `*` where that would be too long. Rows in the future wake nobody.
create or replace function forgeos.after_job_insert()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  of_type record;
  due text := '';
begin
  for of_type in
    select i.job_type, t.name is null as unknown, bool_or(i.status = 'pending' and i.run_at <= now()) as is_due
    from inserted i
    left join public.job_types t on t.name = i.job_type
    group by i.job_type, t.name
    order by i.job_type
  loop
    if of_type.unknown then
      perform forgeos.raise_unknown_job_type(of_type.job_type);
    end if;
    if of_type.is_due then
      due := due || case when due = '' then '' else ',' end || of_type.job_type;
    end if;
  end loop;
  if due <> '' then
    perform pg_notify('forgeos_jobs', case when length(due) > 7900 then '*' else due end);
  end if;
  return null;
end
$$;

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'forgeos.raise_unknown_job_type(text)', 'forgeos.check_user_may_queue(text, uuid)',
    'forgeos.before_job_insert()', 'forgeos.after_job_insert()'
  ] loop
    perform forgeos.close_to_users('function ' || signature);
  end loop;
end
$$;

-- A user is known by the role or by claims; the same test as forgeos.caller_is_user(), in built-in
-- functions only, because WHEN runs with the rights of whoever inserts.
create or replace trigger jobs_before_insert
  before insert on public.jobs
  for each row
  when (
    new.status is distinct from 'pending'
    or new.run_at is null
    or coalesce(nullif(current_setting('role', true), 'none'), session_user::text) in ('anon', 'authenticated')
    or coalesce(current_setting('request.jwt.claims', true), '') <> ''
    or coalesce(current_setting('request.jwt.claim.sub', true), '') <> ''
    or coalesce(current_setting('request.jwt.claim.role', true), '') <> ''
  )
  execute function forgeos.before_job_insert();

create or replace trigger jobs_after_insert
  after insert on public.jobs
  referencing new table as inserted
  for each statement
  execute function forgeos.after_job_insert();
