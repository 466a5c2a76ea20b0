-- postgres: turned around, cast, in parentheses
select email from person where (16 = person_id) and ((home_id) = '7'::int) and given_name = cast('Ada' as text)
--> select
--> read public.person | fields email | filtering person_id home_id given_name | key person_id=16 | key home_id=7 | key given_name=Ada | filtered

-- postgres: a list
select email from person where person_id in (1, 2, 3)
--> select
--> read public.person | fields email | filtering person_id | key person_id=1,2,3 | filtered

-- postgres: a list, and a value after it
select email from person where person_id in (1, 2, 3) and home_id = 9 and active in (true)
--> select
--> read public.person | fields email | filtering person_id home_id active | key person_id=1,2,3 | key home_id=9 | filtered

-- postgres: a list of bind parameters and literals
select email from person where person_id in ($1, 5, $3)
--> select
--> read public.person | fields email | filtering person_id | key person_id=5,$1,$3 | filtered

-- postgres: a bind parameter
select email from person where person_id = $2 and home_id = $1::int
--> select
--> read public.person | fields email | filtering person_id home_id | key person_id=$2 | key home_id=$1 | filtered

-- postgres: named and anonymous parameters are numbered in order
select email from person where person_id = :who and home_id = :home and given_name = :who
--> select
--> read public.person | fields email | filtering person_id home_id given_name | key person_id=$1 | key home_id=$2 | key given_name=$1 | filtered

-- postgres: anonymous parameters
select email from person where person_id = %s and home_id = ?
--> select
--> read public.person | fields email | filtering person_id home_id | key person_id=$1 | key home_id=$2 | filtered

-- postgres: any of an array
select email from person where person_id = any(array[1, 2]) and home_id = any (array[$1, 4])
--> select
--> read public.person | fields email | filtering person_id home_id | key person_id=1,2 | key home_id=4,$1 | filtered

-- postgres: an array that is one value is not taken apart
select email from person where person_id = any('{1,2}') and home_id = any($1)
--> select
--> read public.person | fields email | filtering person_id home_id | filtered

-- postgres: all is not any
select email from person where person_id = all(array[1, 2])
--> select
--> read public.person | fields email | filtering person_id | filtered

-- postgres: a list of rows in VALUES
select email from person where person_id in (values (1), (2))
--> select
--> read public.person | fields email | filtering person_id | key person_id=1,2 | filtered

-- postgres: pairs
select email from person where (person_id, home_id) in ((1, 2), (3, 4)) and (given_name, family_name) = ('A', 'B')
--> select
--> read public.person | fields email | filtering person_id home_id given_name family_name | key person_id=1,3 | key home_id=2,4 | key given_name=A | key family_name=B | filtered

-- postgres: OR over the same field
select email from person where person_id = 1 or person_id in (2, 3) or (person_id = 4 and active)
--> select
--> read public.person | fields email | filtering person_id active | key person_id=1,2,3,4 | filtered

-- postgres: OR over the same field, and more
select email from person where (person_id = 1 or person_id = 2) and home_id = 3
--> select
--> read public.person | fields email | filtering person_id home_id | key person_id=1,2 | key home_id=3 | filtered

-- postgres: OR over different fields
select email from person where person_id = 1 or home_id = 2
--> select
--> read public.person | fields email | filtering person_id home_id | filtered

-- postgres: NOT
select email from person where not person_id = 1 and not (home_id in (1, 2)) and given_name not in ('x')
--> select
--> read public.person | fields email | filtering person_id home_id given_name | filtered

-- postgres: other comparisons
select email from person where person_id > 1 and home_id <> 2 and email like 'a%' and given_name between 'a' and 'a'
--> select
--> read public.person | fields email | filtering person_id home_id email given_name | filtered

-- postgres: a sign makes another value
select email from person where person_id = -5
--> select
--> read public.person | fields email | filtering person_id | filtered

-- postgres: a list with a sign in it
select email from person where person_id in (-5, 6)
--> select
--> read public.person | fields email | filtering person_id | filtered

-- postgres: equal to an expression
select email from person where person_id = 5 + 1 and lower(email) = 'x' and home_id = null
--> select
--> read public.person | fields email | filtering person_id email home_id | filtered

-- postgres: a cast of the field to text keeps values apart, others need not
select email from person where person_id::text = '5' and email::varchar(3) = 'abc' and home_id::date = '2026-01-01'
--> select
--> read public.person | fields email | filtering person_id email home_id | key person_id=5 | filtered

-- postgres: is not distinct from
select email from person where person_id is not distinct from 5
--> select
--> read public.person | fields email | filtering person_id | key person_id=5 | filtered

-- postgres: dates and intervals
select visit_id from visit where seen_at = date '2026-01-01' and seen_at > now() - interval '1 day' and room = '20260101'
--> select
--> read public.visit | fields visit_id | filtering seen_at room | key seen_at=2026-01-01 | key room=20260101 | filtered

-- postgres: a case is no condition on its field
select email from person where case when person_id = 1 then true else false end
--> select
--> read public.person | fields email | filtering person_id | filtered

-- postgres: constraints that contradict are all kept
select email from person where person_id = 1 and person_id = 2
--> select
--> read public.person | fields email | filtering person_id | key person_id=1 | key person_id=2 | filtered

-- postgres: collation
select email from person where family_name = 'Smith' collate "C"
--> select
--> read public.person | fields email | filtering family_name | key family_name=Smith | filtered

-- postgres: literals before and after
select 'x', 7 from person where home_id > 1 and person_id = 42 and email <> 'y' limit 3
--> select
--> read public.person | filtering home_id person_id email | key person_id=42 | filtered | aggregate only
