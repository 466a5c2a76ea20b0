-- postgres: a query in FROM
select email from (select person_id, email, home_id from person where active = true) p where p.person_id = 9
--> select
--> read public.person | fields email | filtering active person_id | key person_id=9 | filtered

-- postgres: only what is used leaves
select x.a from (select given_name as a, email as b from person) x
--> select
--> read public.person | fields given_name

-- postgres: all fields of a query in FROM
select * from (select given_name, email from person) x
--> select
--> read public.person | fields given_name email

-- postgres: WITH
with x as (select * from person where home_id = 1) select email from x where person_id = 9
--> select
--> read public.person | fields email | filtering home_id person_id | key home_id=1 | key person_id=9 | filtered

-- postgres: WITH, with columns renamed
with x (a, b) as (select person_id, email from person) select b from x where a = 9
--> select
--> read public.person | fields email | filtering person_id | key person_id=9 | filtered

-- postgres: a query of WITH used twice is restricted by neither use alone
with x as (select * from person) select a.email, b.given_name from x a, x b where a.person_id = 1
--> select
--> read public.person | fields email given_name | filtering person_id | filtered

-- postgres: one use restricts, the other does not
with x as (select * from person) select email from x where person_id = 1 union all select email from x
--> select
--> read public.person | fields email | filtering person_id

-- postgres: WITH hides a dataset of the same name
with visit as (select * from person) select email from visit
--> select
--> read public.person | fields email

-- postgres: a query of WITH that reads the dataset of its own name
with visit as (select room from visit) select * from visit
--> select
--> read public.visit | fields room

-- postgres: WITH RECURSIVE
with recursive up as (select person_id, home_id from person where person_id = 1 union all select p.person_id, p.home_id from person p join up on up.home_id = p.person_id) select home_id from up
--> select
--> read public.person | fields home_id | filtering person_id | joining home_id | key person_id=1 | filtered
--> read public.person | fields home_id | joining person_id | filtered

-- postgres: a union
select email from person where person_id = 1 union all select phone from home
--> select
--> read public.person | fields email | filtering person_id | key person_id=1 | filtered
--> read public.home | fields phone

-- postgres: a condition on a union holds in each branch
select x from (select email as x, person_id as k from person union all select room, person_id from visit) u where k = 9
--> select
--> read public.person | fields email | filtering person_id | key person_id=9 | filtered
--> read public.visit | fields room | filtering person_id | key person_id=9 | filtered

-- postgres: a limit on a union
(select email from person) union (select phone from home) limit 5
--> select
--> read public.person | fields email | filtered
--> read public.home | fields phone | filtered

-- postgres: a query in the output
select h.street, (select p.email from person p where p.home_id = h.home_id limit 1) from home h
--> select
--> read public.home | fields street | filtering home_id
--> read public.person | fields email | filtering home_id | equal home_id=public.home.home_id | filtered

-- postgres: IN with a query
select room from visit where person_id in (select person_id from person where family_name = 'Smith')
--> select
--> read public.visit | fields room | filtering person_id | equal person_id=public.person.person_id | filtered
--> read public.person | filtering family_name | joining person_id | key family_name=Smith | filtered

-- postgres: any of a query
select room from visit where person_id = any (select person_id from person where home_id = 3)
--> select
--> read public.visit | fields room | filtering person_id | filtered
--> read public.person | filtering home_id | joining person_id | key home_id=3 | filtered

-- postgres: EXISTS
select email from person p where exists (select 1 from visit v where v.person_id = p.person_id and v.room = 'a')
--> select
--> read public.person | fields email | filtering person_id | filtered
--> read public.visit | filtering person_id room | key room=a | equal person_id=public.person.person_id | filtered

-- postgres: NOT EXISTS
select email from person p where not exists (select * from visit v where v.person_id = p.person_id)
--> select
--> read public.person | fields email | filtering person_id | filtered
--> read public.visit | filtering person_id | equal person_id=public.person.person_id | filtered

-- postgres: a comparison with a query
select email from person where home_id = (select home_id from home where street = 'High')
--> select
--> read public.person | fields email | filtering home_id | filtered
--> read public.home | filtering street home_id | key street=High | filtered

-- postgres: a condition within a query does not hold outside it
select email from person p where exists (select 1 from visit v where p.person_id = 5 and v.room = 'a')
--> select
--> read public.person | fields email | filtering person_id | filtered
--> read public.visit | filtering room | key room=a | filtered

-- postgres: an array of a query
select array(select email from person where home_id = 3)
--> select
--> read public.person | fields email | filtering home_id | key home_id=3 | filtered

-- postgres: a query that nothing uses is still read
select a from (select town as a, (select max(email) from person) as b from home) x
--> select
--> read public.home | fields town
--> read public.person | aggregate only

-- postgres: deep
select z from (select y as z, k from (select x as y, k from (select email as x, person_id as k from person) a) b) c where k = 3
--> select
--> read public.person | fields email | filtering person_id | key person_id=3 | filtered
