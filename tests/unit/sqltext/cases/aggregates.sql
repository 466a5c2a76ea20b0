-- postgres: a count
select count(*) from person
--> select
--> read public.person | aggregate only

-- postgres: sums, grouped by an expression
select count(*), date_trunc('day', seen_at) from visit group by 2 order by 2 limit 10
--> select
--> read public.visit | fields seen_at | filtered | aggregate only

-- postgres: grouped by a person
select person_id, count(*), sum(amount) from visit group by 1
--> select
--> read public.visit | fields person_id | aggregate only

-- postgres: a field that is not grouped by leaves row by row
select p.email, count(*) from person p join visit v using (person_id) group by p.person_id
--> select
--> read public.person | fields email | joining person_id | equal person_id=public.visit.person_id | filtered
--> read public.visit | joining person_id | equal person_id=public.person.person_id | filtered | aggregate only

-- postgres: the largest value leaves
select max(email), count(given_name) from person
--> select
--> read public.person | fields email

-- postgres: all values leave
select home_id, string_agg(email, ',') from person group by home_id
--> select
--> read public.person | fields home_id email

-- postgres: counted under a condition
select count(*) filter (where active), sum(case when email like '%x' then 1 else 0 end) from person
--> select
--> read public.person | filtering active | aggregate only

-- postgres: having
select home_id from person group by home_id having count(*) > 3 and min(email) = 'a'
--> select
--> read public.person | fields home_id | filtering email | filtered | aggregate only

-- postgres: having by alias
select home_id, count(person_id) as n from person group by home_id having n > 3
--> select
--> read public.person | fields home_id | filtering person_id | filtered | aggregate only

-- postgres: a window does not aggregate
select sum(amount) over (partition by person_id order by seen_at) from visit
--> select
--> read public.visit | fields amount

-- postgres: aggregated above a query
select count(*) from (select email from person where home_id = 3) x
--> select
--> read public.person | filtering home_id | key home_id=3 | filtered | aggregate only

-- postgres: aggregated within a query
select n from (select person_id as k, count(*) as n from visit group by person_id) x where k = 3
--> select
--> read public.visit | filtering person_id | key person_id=3 | filtered | aggregate only

-- postgres: an aggregated query in the output
select p.email, (select count(*) from visit v where v.person_id = p.person_id) from person p
--> select
--> read public.person | fields email | filtering person_id
--> read public.visit | filtering person_id | equal person_id=public.person.person_id | filtered | aggregate only

-- postgres: a median shows a value
select percentile_cont(0.5) within group (order by amount) from visit
--> select
--> read public.visit | fields amount

-- postgres: whether there is one
select exists (select 1 from person where email = 'a@b')
--> select
--> read public.person | filtering email | key email=a@b | filtered | aggregate only

-- postgres: rollup
select home_id, active, count(*) from person group by rollup (home_id, active)
--> select
--> read public.person | fields home_id active | aggregate only
