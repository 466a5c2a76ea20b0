-- Accesses of persons' data with the contact that explains each, if one does.
-- in:  events   = the ledger's events
--      contacts = (feed, actor, subject, opened, closed): who was in contact with whom and when; actor and subject are
--                 tokens; closed null is still open
--      $start, $end = the window [start, end); $slack = how long after closing work may still be done
-- out: seq, uid, time, actor, store, dataset, activity, subject, reason (name of a feed or null); one statement over
--      several datasets is one access of a person, listed under the first of them
-- cost: one interval join on (actor, subject), both sides filtered to the window first
with named as (
    select seq, uid, time, actor, store, dataset, activity, coalesce(correlation, uid) as statement,
        unnest(subjects) as subject
    from events
    where subjects is not null and time >= $start and time < $end
),
numbered as (
    select *, row_number() over (partition by statement, subject order by seq) as place
    from named
),
accesses as (
    select * from numbered where place = 1
),
explained as (
    select a.seq, a.subject, min(c.feed) as reason
    from accesses as a
    join contacts as c
        on c.actor = a.actor and c.subject = a.subject
        and c.opened <= a.time and (c.closed is null or a.time < c.closed + $slack)
    group by a.seq, a.subject
)
select a.seq, a.uid, a.time, a.actor, a.store, a.dataset, a.activity, a.subject, e.reason
from accesses as a
left join explained as e on e.seq = a.seq and e.subject = a.subject
order by a.seq, a.subject
