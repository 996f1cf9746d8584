-- Policies on our tables that are not ours. They stay, because somebody wanted them; but permissive
-- policies add up, so `doctor` names those that open rows to users beyond what ours do.

create or replace function forgeos.other_policies()
returns table (relation text, policy text, command text, roles text[], rule text)
language sql stable
security definer
set search_path = ''
as $$
  select
    p.polrelid::regclass::text,
    p.polname::text,
    case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
      when 'd' then 'delete' else 'all' end,
    who.roles,
    concat_ws(' ', 'using (' || pg_get_expr(p.polqual, p.polrelid) || ')',
      'with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
  from pg_catalog.pg_policy p
  cross join lateral (
    select array_agg(case when role_id = 0 then 'public' else pg_get_userbyid(role_id)::text end order by role_id)
    from unnest(p.polroles) as role_id
  ) as who(roles)
  where p.polpermissive
    and who.roles && array['public', 'anon', 'authenticated']
    and obj_description(p.oid, 'pg_policy') is distinct from 'ForgeOS'
    and p.polrelid in (
      select to_regclass(name) from unnest(array[
        'public.jobs', 'public.analyses', 'public.reports', 'public.training_sessions', 'public.audit_log',
        'public.job_types', 'public.job_items', 'public.job_attempts', 'public.job_logs', 'public.artifacts',
        'public.workers', 'storage.objects'
      ]) as name
    )
  order by 1, 2
$$;

do $$
begin
  perform forgeos.close_to_users('function forgeos.other_policies()');
  perform forgeos.grant_to('service_role', 'execute on function forgeos.other_policies()');
  perform forgeos.grant_to('forgeos_worker', 'execute on function forgeos.other_policies()');
end
$$;
