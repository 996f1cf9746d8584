-- Counters that somebody sets by hand stay where adding one cannot overflow: an overflow would fail the whole claim of
-- which the row is a part, again and again. Not checked on old rows.
do $$
begin
  if not exists (select 1 from pg_constraint
                 where conrelid = 'public.jobs'::regclass and conname = 'jobs_counters_bounded') then
    alter table public.jobs add constraint jobs_counters_bounded check (
      attempt between 0 and 2000000000 and attempts_forgiven between 0 and 2000000000
      and crashes between 0 and 2000000000
    ) not valid;
  end if;
end
$$;
