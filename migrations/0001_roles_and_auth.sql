-- What the rest stands on: schema `forgeos` (kept out of PostgREST), the roles, and the two `auth`
-- functions that Supabase would have brought.
--
-- On Supabase everything under `auth` and the three roles exist and are left alone. On a plain
-- PostgreSQL they are created. Nothing here needs a superuser; without CREATEROLE the roles are
-- left out with a warning that carries the SQL for an administrator, and the grants of the files
-- that follow skip a role that is not there. Once the roles exist, all files are simply run again
-- (`forgeos.rights_incomplete()` says when that is due).
--
-- Safe to run again by hand, like every file here.

do $$
begin
  if to_regnamespace('forgeos') is null then
    create schema forgeos;
  end if;
end
$$;

-- The roles. No role gets BYPASSRLS: the policies of each table name those that see every row.
do $$
declare
  role_name text;
begin
  foreach role_name in array array['anon', 'authenticated', 'service_role', 'forgeos_worker'] loop
    if to_regrole(role_name) is null then
      begin
        execute format('create role %I nologin noinherit', role_name);
      exception
        when insufficient_privilege then
          raise warning 'role % cannot be created by %: ask an administrator to run: create role % nologin noinherit;',
            role_name, current_user, role_name;
        when duplicate_object or unique_violation then
          null; -- roles belong to the whole server: another database's migration was faster
      end;
    end if;
  end loop;
end
$$;

-- Helpers of the migrations. They run with the rights of whoever calls them (the migrating role):
-- as `security definer` they would lend the owner's rights to anybody who may call them.

-- Takes every privilege on an object from everybody who is not service: Supabase's default
-- privileges grant all of them, TRUNCATE included, on each new object. `object` as in
-- `table public.jobs`, `function public.cancel_job(uuid)`.
create or replace function forgeos.close_to_users(object text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  role_name text;
begin
  execute format('revoke all on %s from public', object);
  foreach role_name in array array['anon', 'authenticated', 'forgeos_worker'] loop
    if to_regrole(role_name) is not null then
      execute format('revoke all on %s from %I', object, role_name);
    end if;
  end loop;
end
$$;

-- `grant_to('authenticated', 'select on table public.jobs')`, skipped when there is no such role.
create or replace function forgeos.grant_to(role_name text, privileges text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if to_regrole(role_name) is not null then
    execute format('grant %s to %I', privileges, role_name);
  end if;
end
$$;

-- Replaces one policy by name, for one role, skipped when there is no such role.
-- `rule` is what stands behind the role: `using (…)`, `with check (…)`. The comment tells our
-- policies from other people's (see forgeos.other_policies).
create or replace function forgeos.set_policy(relation text, policy text, command text, role_name text, rule text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  execute format('drop policy if exists %I on %s', policy, relation);
  if to_regrole(role_name) is not null then
    execute format('create policy %I on %s for %s to %I %s', policy, relation, command, role_name, rule);
    execute format('comment on policy %I on %s is %L', policy, relation, 'ForgeOS');
  end if;
end
$$;

-- Shuts a table (grants, row-level security) and opens it to the service. What users and the
-- worker's role get is granted one by one by the file that owns the table.
create or replace function forgeos.open_table_to_service(relation text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  table_name text := split_part(relation, '.', 2);
  sequence_name text;
begin
  perform forgeos.close_to_users('table ' || relation);
  for sequence_name in
    select d.objid::regclass::text
    from pg_catalog.pg_depend d
    join pg_catalog.pg_class c on c.oid = d.objid and c.relkind = 'S'
    where d.refobjid = relation::regclass and d.deptype in ('a', 'i')
  loop
    perform forgeos.close_to_users('sequence ' || sequence_name);
    perform forgeos.grant_to('service_role', 'all on sequence ' || sequence_name);
  end loop;
  execute format('alter table %s enable row level security', relation);
  perform forgeos.grant_to('service_role', 'all on table ' || relation);
  perform forgeos.set_policy(relation, table_name || '_service', 'all', 'service_role',
    'using (true) with check (true)');
  -- The policy opens the rows; what may be done to them is up to the grants.
  perform forgeos.set_policy(relation, table_name || '_worker', 'all', 'forgeos_worker',
    'using (true) with check (true)');
end
$$;

-- Schema `auth` of a plain PostgreSQL. `nullif(…, '')`: a setting that was once `set local` reads
-- as an empty string afterwards, not as null. The single-claim settings are PostgREST's older form.
do $$
begin
  if to_regnamespace('auth') is null then
    create schema auth;
  end if;
  if to_regprocedure('auth.uid()') is null then
    create function auth.uid() returns uuid
    language sql stable
    set search_path = ''
    as $body$
      select coalesce(
        nullif(current_setting('request.jwt.claim.sub', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
      )::uuid
    $body$;
    comment on function auth.uid() is 'ForgeOS: the signed-in user, from the request''s claims';
  end if;
  if to_regprocedure('auth.role()') is null then
    create function auth.role() returns text
    language sql stable
    set search_path = ''
    as $body$
      select coalesce(
        nullif(current_setting('request.jwt.claim.role', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
      )
    $body$;
    comment on function auth.role() is 'ForgeOS: the role that the request''s claims name';
  end if;
end
$$;

-- Policies are read with the rights of the caller, so each role must reach the functions that a
-- policy calls. On Supabase all of them do, and the migrating role may have nothing to grant there.
do $$
declare
  role_name text;
begin
  foreach role_name in array array['anon', 'authenticated', 'service_role', 'forgeos_worker'] loop
    continue when to_regrole(role_name) is null;
    begin
      if not has_schema_privilege(role_name, 'auth', 'usage') then
        execute format('grant usage on schema auth to %I', role_name);
      end if;
      if not has_function_privilege(role_name, 'auth.uid()', 'execute') then
        execute format('grant execute on function auth.uid() to %I', role_name);
      end if;
      if not has_function_privilege(role_name, 'auth.role()', 'execute') then
        execute format('grant execute on function auth.role() to %I', role_name);
      end if;
      if role_name <> 'anon' and not has_schema_privilege(role_name, 'public', 'usage') then
        execute format('grant usage on schema public to %I', role_name);
      end if;
    exception when insufficient_privilege then
      null; -- seen below, as is a grant that PostgreSQL refuses with no more than a warning
    end;
    if not has_schema_privilege(role_name, 'auth', 'usage') then
      raise warning 'other people''s policies may need it: ask an administrator to run: grant usage on schema auth to %;', role_name;
    end if;
  end loop;
end
$$;

-- Who is calling. Inside a `security definer` function `current_user` is the owner, but the setting
-- `role` still tells what SET ROLE (PostgREST, tests) chose, and `session_user` who logged in.

-- True when a user (or nobody at all) is behind the statement, false for the service: the role
-- service_role, the worker, or a direct connection without claims. A caller with role
-- `authenticated` and no claims stays a user, one without an id: never the service.
-- Built-in functions first: most callers are the service, and auth.uid() costs ten times as much.
create or replace function forgeos.caller_is_user()
returns boolean
language plpgsql stable
security definer
set search_path = ''
as $$
begin
  if coalesce(nullif(current_setting('role', true), 'none'), session_user::text) in ('anon', 'authenticated') then
    return true;
  end if;
  if coalesce(current_setting('request.jwt.claims', true), '') = ''
    and coalesce(current_setting('request.jwt.claim.sub', true), '') = ''
    and coalesce(current_setting('request.jwt.claim.role', true), '') = ''
  then
    return false;
  end if;
  -- Claims without a role and without a user name nobody; any role but service_role is a user's.
  return coalesce(auth.role(), case when auth.uid() is null then 'service_role' else 'authenticated' end) <> 'service_role';
end
$$;

-- The roles that this server lacks; `migrate` and `doctor` print `create role … nologin noinherit`.
create or replace function forgeos.missing_roles()
returns text[]
language sql stable
security definer
set search_path = ''
as $$
  select coalesce(array_agg(wanted), '{}')
  from unnest(array['anon', 'authenticated', 'service_role', 'forgeos_worker']) as wanted
  where to_regrole(wanted) is null
$$;

-- True when a role was created after the migrations had granted: run all files again.
create or replace function forgeos.rights_incomplete()
returns boolean
language sql stable
security definer
set search_path = ''
as $$
  select exists (
    select 1
    from unnest(array['authenticated', 'service_role', 'forgeos_worker']) as wanted
    where to_regrole(wanted) is not null
      and to_regclass('public.jobs') is not null
      and not has_table_privilege(to_regrole(wanted), to_regclass('public.jobs'), 'select')
  )
$$;

do $$
declare
  signature text;
begin
  foreach signature in array array[
    'forgeos.close_to_users(text)', 'forgeos.grant_to(text, text)',
    'forgeos.set_policy(text, text, text, text, text)', 'forgeos.open_table_to_service(text)',
    'forgeos.caller_is_user()', 'forgeos.missing_roles()', 'forgeos.rights_incomplete()'
  ] loop
    perform forgeos.close_to_users('function ' || signature);
  end loop;
  perform forgeos.close_to_users('schema forgeos');
  -- The worker compares the schema's version with its own before it starts.
  perform forgeos.grant_to('service_role', 'usage on schema forgeos');
  perform forgeos.grant_to('forgeos_worker', 'usage on schema forgeos');
  if to_regclass('forgeos.migrations') is not null then
    perform forgeos.close_to_users('table forgeos.migrations');
    perform forgeos.grant_to('service_role', 'select on table forgeos.migrations');
    perform forgeos.grant_to('forgeos_worker', 'select on table forgeos.migrations');
  end if;
  foreach signature in array array['forgeos.missing_roles()', 'forgeos.rights_incomplete()'] loop
    perform forgeos.grant_to('service_role', 'execute on function ' || signature);
    perform forgeos.grant_to('forgeos_worker', 'execute on function ' || signature);
  end loop;
end
$$;
