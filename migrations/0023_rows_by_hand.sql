-- What somebody writes by hand into a row must not harm others, nor strand the row.
--
-- Counters that somebody sets by hand keep their distance from the bound of 0016. At the bound itself the next claim
-- would be refused, and with it every other row of that claim, again and again. So a jump beyond a thousand millions is
-- refused where it is written; from there a job may still be claimed as often again.
create or replace function forgeos.guard_job_counters()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  most constant int := 1000000000;
begin
  -- What the queue does: one more, or `attempts_forgiven` as high as `attempt`.
  if tg_op = 'UPDATE'
    and (new.attempt <= most or new.attempt - old.attempt in (0, 1))
    and (new.attempts_forgiven <= most or new.attempts_forgiven - old.attempts_forgiven in (0, 1)
         or new.attempts_forgiven = new.attempt)
    and (new.crashes <= most or new.crashes - old.crashes in (0, 1))
  then
    return new;
  end if;
  raise exception 'attempt, attempts_forgiven and crashes are counted by the queue; by hand they may be set to % at most', most
    using errcode = '23514';
end
$$;

do $$
begin
  perform forgeos.close_to_users('function forgeos.guard_job_counters()');
end
$$;

create or replace trigger jobs_guard_counters
  before insert or update of attempt, attempts_forgiven, crashes on public.jobs
  for each row
  when (new.attempt > 1000000000 or new.attempts_forgiven > 1000000000 or new.crashes > 1000000000)
  execute function forgeos.guard_job_counters();

-- A job whose type is taken away would be claimed by nobody for ever; the foreign key lets null pass. Rows that were
-- adopted without a type are left alone.
create or replace function forgeos.guard_job_type()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform forgeos.raise_unknown_job_type(null);
  return null;
end
$$;

do $$
begin
  perform forgeos.close_to_users('function forgeos.guard_job_type()');
end
$$;

create or replace trigger jobs_guard_type
  before update of job_type on public.jobs
  for each row
  when (new.job_type is null and old.job_type is not null)
  execute function forgeos.guard_job_type();
