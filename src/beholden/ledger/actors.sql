-- Everybody who acted.
-- in:  events = the ledger's events
-- out: actor (a token)
-- cost: one scan of one column
select distinct actor
from events
where actor is not null
order by actor
