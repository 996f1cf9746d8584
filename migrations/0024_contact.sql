-- Since when somebody has been in contact with the database without a gap, by its own clock. Leases are swept only after
-- a whole lease of that: after an outage their holders get the time to renew first. It stands here and not in each
-- process, so that a worker that was just started goes on where one that has just died left off.
--
-- A gap is half a lease. A shorter outage ends before the leases of those who live run out: they are renewed every third.
-- A step of the database's clock looks like a gap, and so is one.
create table if not exists forgeos.contact (
  lease_seconds double precision primary key,
  since timestamptz not null default clock_timestamp(),
  last timestamptz not null default clock_timestamp()
) with (fillfactor = 10);
comment on table forgeos.contact is 'unbroken contact with this database, of all workers whose leases are so long';

do $$
begin
  perform forgeos.open_table_to_service('forgeos.contact');
  perform forgeos.grant_to('forgeos_worker', 'select, insert, update on table forgeos.contact');
end
$$;
