-- Accesses that match a question, grouped for people.
-- in:  matched = the rows of who_events.sql
-- out: actor, store, dataset, activity, match, events, rows, subjects, first, last, seq (of one of them), also (other datasets of the
--      same statements), newest first
-- cost: one pass over the matched events and one over their subjects
with people as (
    select actor, store, dataset, activity, match, count(distinct subject) as named
    from (select actor, store, dataset, activity, match, unnest(subjects) as subject from matched)
    group by actor, store, dataset, activity, match
),
companions as (
    select actor, store, dataset, activity, match, list(distinct companion) as also
    from (select actor, store, dataset, activity, match, unnest(also) as companion from matched)
    group by actor, store, dataset, activity, match
),
grouped as (
    select
        actor, store, dataset, activity, match,
        count(*) as events,
        -- a log may claim any number: their sum may be none of 64 bits
        cast(case
            when sum(cast(rows as decimal(38, 0))) > 9223372036854775807 then 9223372036854775807
            when sum(cast(rows as decimal(38, 0))) < -9223372036854775808 then -9223372036854775808
            else sum(cast(rows as decimal(38, 0)))
        end as bigint) as rows,
        max(subject_count) as whole,  -- of one access: a whole dataset, or more persons than are kept by name
        min(seq) as seq,  -- by which one of them can be proven
        min(time) as first,
        max(time) as last
    from matched
    group by actor, store, dataset, activity, match
)
select
    g.actor, g.store, g.dataset, g.activity, g.match, g.events, g.rows,
    case when p.named is null and g.whole is null then null
         else greatest(coalesce(p.named, 0), coalesce(g.whole, 0)) end as subjects,
    g.first, g.last, g.seq,
    list_sort(c.also) as also
from grouped as g
left join people as p
    on g.actor is not distinct from p.actor and g.store is not distinct from p.store
    and g.dataset is not distinct from p.dataset and g.activity = p.activity and g.match = p.match
left join companions as c
    on g.actor is not distinct from c.actor and g.store is not distinct from c.store
    and g.dataset is not distinct from c.dataset and g.activity = c.activity and g.match = c.match
order by
    case g.match when 'named' then 0 when 'included' then 1 else 2 end, g.events desc, g.last desc, g.store, g.dataset,
    g.activity, g.actor, g.match
