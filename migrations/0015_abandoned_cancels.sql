-- A cancelled job keeps its lease for the holder's last words. When the holder is dead, upkeep says them: this index
-- leads to those rows alone. It names no column that a heartbeat writes.
create index if not exists jobs_abandoned_cancel_idx on public.jobs (locked_by)
  where status = 'cancelled' and locked_by is not null;
