-- Supabase Realtime: `migrate --realtime` calls this to publish changes of `jobs` (each user then
-- receives their own rows, by the table's policies). True if `jobs` is published afterwards; false
-- where there is no publication `supabase_realtime`. Off by default: every heartbeat is a change.

create or replace function forgeos.add_jobs_to_realtime()
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  if not exists (select 1 from pg_catalog.pg_publication where pubname = 'supabase_realtime') then
    return false;
  end if;
  if not exists (
    select 1 from pg_catalog.pg_publication_tables
    where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = 'jobs'
  ) then
    alter publication supabase_realtime add table public.jobs;
  end if;
  return true;
end
$$;

do $$
begin
  perform forgeos.close_to_users('function forgeos.add_jobs_to_realtime()');
end
$$;
