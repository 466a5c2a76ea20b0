-- How far each source's record reaches, hour by hour.
-- in:  events = the ledger's events
-- out: source, store, hour (start of the hour, UTC), events, first, last
-- cost: one scan of three columns
select source, store, date_trunc('hour', time) as hour, count(*) as events, min(time) as first, max(time) as last
from events
group by source, store, date_trunc('hour', time)
order by source, store, hour
