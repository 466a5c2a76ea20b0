-- What goes with people who are forgotten: tickets about them, devices, keys and texts that are on record with nobody else.
-- in:  events = the ledger's events
--      erased = (token): people to be forgotten now
--      gone   = (token): these, and everybody forgotten before
--      $many  = a number: a ticket with more people who stay is no ticket about one of them
-- out: token
--      A ticket goes unless many who stay are on record with it: the company's own list of tickets names whom it is
--      about, and of few the one without a name would be found by leaving out the others. A device or credential goes if
--      one of the people acted with it, and nobody who stays did. An application or purpose goes if every event that
--      has it names one of the forgotten and nobody who stays.
-- cost: three scans: the columns that name people, the five that are asked for, and both for what the five have in common
with naming as (
    select n.seq
    from (select seq, unnest(subjects) as token from events where subjects is not null) as n
    join erased as e on n.token = e.token
    union
    select n.seq from events as n join erased as e on n.on_behalf_of = e.token
    union
    select n.seq from events as n join erased as e on n.actor = e.token
),
labels as (
    select 'assignment' as kind, assignment as token, seq, actor, on_behalf_of, subjects from events where assignment is not null
    union all
    select 'app' as kind, app as token, seq, actor, on_behalf_of, subjects from events where app is not null
    union all
    select 'purpose' as kind, purpose as token, seq, actor, on_behalf_of, subjects from events where purpose is not null
    union all
    select 'device' as kind, device as token, seq, actor, on_behalf_of, subjects from events where device is not null
    union all
    select 'credential' as kind, credential as token, seq, actor, on_behalf_of, subjects from events where credential is not null
),
candidates as (
    select distinct l.kind, l.token
    from labels as l
    join naming as n on l.seq = n.seq
    left join erased as e on l.actor = e.token
    where l.kind not in ('device', 'credential') or e.token is not null
),
uses as (
    select l.kind, l.token, l.seq, l.actor, l.on_behalf_of, l.subjects
    from labels as l
    join candidates as c on l.kind = c.kind and l.token = c.token
),
people as (
    select kind, token, unnest(subjects) as person from uses where kind not in ('device', 'credential') and subjects is not null
    union all
    select kind, token, on_behalf_of as person from uses where kind not in ('device', 'credential') and on_behalf_of is not null
    union all
    select kind, token, actor as person from uses where kind in ('device', 'credential') and actor is not null
),
others as (
    select p.kind, p.token
    from people as p
    left join gone as g on p.person = g.token
    where g.token is null
    group by p.kind, p.token
    having p.kind <> 'assignment' or count(distinct p.person) > $many
    union
    select u.kind, u.token
    from uses as u
    left join gone as g on u.actor = g.token
    where u.kind in ('app', 'purpose') and g.token is null
      and coalesce(array_length(u.subjects), 0) = 0 and u.on_behalf_of is null
)
select distinct c.token
from candidates as c
left join others as o on c.kind = o.kind and c.token = o.token
where o.token is null
order by c.token
