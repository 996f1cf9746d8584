-- The contract's view and functions about a user's data: names, parameters, columns and JSON keys
-- as they were; what was slow, wrong or open is mended.

-- `cvi` as a number, null where a row holds something else: one bad row must not break a user's
-- page. Text that reads as a number counts, as it did with the contract's cast.
create or replace function forgeos.cvi_of(metrics jsonb)
returns double precision
language sql immutable
set search_path = ''
as $$
  select case
    when jsonb_typeof(metrics -> 'cvi') = 'number' then (metrics ->> 'cvi')::float
    when metrics ->> 'cvi' ~ '^\s*[-+]?(\d{1,30}\.?\d{0,30}|\.\d{1,30})([eE][-+]?\d{1,2})?\s*$'
      then (metrics ->> 'cvi')::float
  end
$$;

do $$
begin
  create or replace view public.user_analysis_summary with (security_invoker = true) as
  select
    user_id,
    count(*) as total_analyses,
    count(*) filter (where status = 'completed') as completed,
    count(*) filter (where status = 'failed') as failed,
    avg(forgeos.cvi_of(metrics)) as avg_cvi,
    max(created_at) as last_analysis_at
  from public.analyses
  group by user_id;
exception when invalid_table_definition then
  -- Somebody has added columns to it: theirs to keep, but not open to everybody.
  alter view public.user_analysis_summary set (security_invoker = true);
  raise warning 'user_analysis_summary has columns of its own and was not replaced: it now shows each user their own rows';
end
$$;

-- Three independent aggregates. (A join of the three tables has analyses x reports x jobs rows, and
-- none for a user without analyses.)
create or replace function public.get_user_stats(p_user_id uuid)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  result jsonb;
begin
  if forgeos.caller_is_user() and p_user_id is distinct from auth.uid() then
    raise exception 'statistics are given of oneself only' using errcode = '42501';
  end if;
  select jsonb_build_object(
    'total_analyses', a.total,
    'total_reports', r.total,
    'active_jobs', j.active,
    'avg_cvi', a.avg_cvi,
    'last_activity', greatest(a.latest, r.latest, j.latest)
  ) into result
  from
    (select count(*) as total, avg(forgeos.cvi_of(metrics)) as avg_cvi, max(created_at) as latest
     from public.analyses where user_id = p_user_id) as a,
    (select count(*) as total, max(created_at) as latest
     from public.reports where user_id = p_user_id) as r,
    (select count(*) filter (where status in ('pending', 'running')) as active, max(created_at) as latest
     from public.jobs where user_id = p_user_id) as j;
  return result;
end
$$;

-- Deletes everybody's old analyses (and, by cascade, their reports): for the service only.
create or replace function public.cleanup_old_analyses(days_old integer default 90)
returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  deleted_count integer;
begin
  if forgeos.caller_is_user() then
    raise exception 'cleanup_old_analyses is for the service only' using errcode = '42501';
  end if;
  if days_old is null or days_old < 1 then
    raise exception 'days_old must be at least 1, not %', coalesce(days_old::text, 'null') using errcode = '22023';
  end if;
  delete from public.analyses where created_at < now() - make_interval(days => days_old);
  get diagnostics deleted_count = row_count;
  return deleted_count;
end
$$;

do $$
begin
  perform forgeos.close_to_users('function forgeos.cvi_of(jsonb)');
  perform forgeos.grant_to('authenticated', 'execute on function forgeos.cvi_of(jsonb)');
  perform forgeos.grant_to('service_role', 'execute on function forgeos.cvi_of(jsonb)');
  perform forgeos.close_to_users('table public.user_analysis_summary');
  perform forgeos.grant_to('authenticated', 'select on table public.user_analysis_summary');
  perform forgeos.grant_to('service_role', 'select on table public.user_analysis_summary');
  perform forgeos.close_to_users('function public.get_user_stats(uuid)');
  perform forgeos.grant_to('authenticated', 'execute on function public.get_user_stats(uuid)');
  perform forgeos.grant_to('service_role', 'execute on function public.get_user_stats(uuid)');
  perform forgeos.close_to_users('function public.cleanup_old_analyses(integer)');
  perform forgeos.grant_to('service_role', 'execute on function public.cleanup_old_analyses(integer)');
end
$$;
