-- The datasets that accesses on record name.
-- in:  events = the ledger's events; $start, $end = the window [start, end) as timestamps
-- out: store, dataset, events (accesses that reached rows, or may have)
-- cost: one scan of four columns
select store, dataset, count(*) as events
from events
where time >= $start and time < $end and scope <> 'none' and store is not null and dataset is not null
group by store, dataset
order by store, dataset
