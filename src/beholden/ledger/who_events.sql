-- The accesses that match a question, one row an access.
-- in:  events   = the ledger's events, as far as they may match (ledger.index.INDEXED)
--      targets  = (asked, distance, store, dataset, match, key, mixed, part, fields): datasets in question, each once for each
--                 asked about, and how far from it; how a read of them matches, whether they carry the person's
--                 identifier, and those of other kinds; a view that may leave anybody out; the fields in question (null: any)
--      $subject = a person's token or null; $actors, $credentials = lists of tokens or null
--      $only    = a list of STORE/PATH, or null: accesses to nothing else
--      $start, $end = the window [start, end) as timestamps
-- out: the events' columns, match, also (other datasets of the same statement)
-- cost: one scan of the events given; windows over those that match
with judged as (
    select
        e.seq, e.time, e.actor, e.credential, e.store, e.dataset, e.activity, e.fields, e.rows, e.subjects, e.subject_count,
        e.scope, e.statement, e.correlation,
        coalesce(t.key, false) as holds_key,
        t.asked, coalesce(t.distance, 0) as distance,
        case when e.activity in ('read', 'query', 'export') then 'read' else 'change' end as manner,
        case
            when $subject is not null and list_contains(e.subjects, cast($subject as blob)) then 'named'
            when $subject is not null and t.store is null then null
            when $subject is not null and e.scope = 'table' and not t.part then 'included'
            when $subject is not null and e.scope = 'table' then 'possible'
            when $subject is not null and e.scope = 'predicate' then 'possible'
            -- more persons were named than are kept
            when $subject is not null and e.scope = 'subjects'
                 and coalesce(e.subject_count, 0) > coalesce(array_length(e.subjects), 0) then 'possible'
            -- rows of several kinds of person: who names one kind may have reached anybody of another
            when $subject is not null and t.mixed and e.scope = 'subjects' then 'other'
            when $subject is not null then null
            when $by_dataset and t.store is null then null
            -- a view that was defined, granted or dropped: nothing of what is behind it was reached
            when $by_dataset and t.match in ('view', 'possible') and e.scope = 'none'
                 and e.activity not in ('read', 'query', 'export') then null
            when $by_dataset and t.fields is not null and e.fields is null then 'possible'
            when $by_dataset and t.fields is not null and array_length(array_intersect(e.fields, t.fields)) = 0 then null
            when $by_dataset and t.match = 'view' then 'included'
            when $by_dataset and t.match = 'possible' then 'possible'
            when $by_dataset and t.match = 'included' and e.scope = 'table' then 'included'
            when $by_dataset and t.match = 'included' and e.scope = 'none' then null
            when $by_dataset and t.match = 'included' then 'possible'
            else 'named'
        end as match
    from events as e
    left join targets as t on e.store = t.store and e.dataset = t.dataset
    where e.time >= $start and e.time < $end
      and ($actors is null or list_contains(cast($actors as blob[]), e.actor))
      and ($credentials is null or list_contains(cast($credentials as blob[]), e.credential))
      and ($only is null or list_contains(cast($only as varchar[]), e.store || '/' || e.dataset))
),
ranked as (  -- the records of statements over several datasets
    select
        *,
        row_number() over (
            partition by correlation
            order by case match when 'named' then 0 when 'included' then 1 when 'possible' then 2 else 3 end, holds_key desc, seq
        ) as place,
        -- pgaudit writes a record each time a statement mentions the dataset (a table joined with itself)
        row_number() over (
            partition by correlation, asked, store, dataset, activity, statement, scope, subjects, rows order by seq
        ) as mention,
        -- a log may have a record for a view and one for the table behind it
        min(distance) over (partition by correlation, asked, manner) as nearest,
        list(store || '/' || dataset) over (partition by correlation) as together
    from judged
    where match is not null and correlation is not null
),
kept as (
    select
        seq, time, actor, credential, store, dataset, activity, fields, rows, subjects, subject_count, scope, statement, match, holds_key,
        [store || '/' || dataset] as together
    from judged
    where match is not null and correlation is null
    union all
    select
        seq, time, actor, credential, store, dataset, activity, fields, rows, subjects, subject_count, scope, statement, match, holds_key,
        together
    from ranked
    where case when $subject is null then mention = 1 and distance = nearest else place = 1 end
),
chosen as (
    select
        *,
        row_number() over (
            partition by seq
            order by case match when 'named' then 0 when 'included' then 1 when 'possible' then 2 else 3 end, holds_key desc
        ) as best  -- it may stand for several that were asked about
    from kept
)
select
    seq, time, actor, credential, store, dataset, activity, fields, rows, subjects, subject_count, scope, statement, match,
    list_sort(list_filter(list_distinct(together), lambda d: d is distinct from store || '/' || dataset)) as also
from chosen
where best = 1
order by seq
