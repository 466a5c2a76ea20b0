-- postgres: explain gives no row
explain select email from person where person_id = 3
--> other
--> read public.person | filtering person_id | key person_id=3 | filtered | aggregate only

-- postgres: explain analyze runs it
explain (analyze, buffers) update person set email = 'x' where person_id = 3
--> update
--> write public.person | fields email | filtering person_id | key person_id=3 | filtered

-- postgres: explain of a write does not write
explain delete from person
--> other
--> read public.person | aggregate only

-- mysql: explain
explain format=json select email from person where person_id = 3
--> other
--> read shop.person | filtering person_id | key person_id=3 | filtered | aggregate only

-- mysql: analyze as MariaDB has it
analyze select email from person where person_id = 3
--> select
--> read shop.person | filtering person_id | key person_id=3 | filtered | aggregate only

-- postgres: prepare is logged with what it later runs
prepare p (int) as select email from person where person_id = $1
--> select
--> read public.person | fields email | filtering person_id | key person_id=$1 | filtered

-- postgres: a cursor
declare c binary insensitive cursor with hold for select email from person where person_id = 3
--> select
--> read public.person | fields email | filtering person_id | key person_id=3 | filtered

-- postgres: several statements
select email from person where person_id = 1; delete from visit where person_id = 2
--> delete
--> read public.person | fields email | filtering person_id | key person_id=1 | filtered
--> write public.visit | filtering person_id | key person_id=2 | filtered

-- postgres: several statements, of which one is not understood
select email from person where person_id = 1; frobnicate the person
--> select
--> read public.person | fields email | filtering person_id | key person_id=1 | filtered
--> problem: could not be parsed near word 3

-- postgres: a block of code
do $$ begin delete from person; end $$
--> other
--> problem: runs code that is not in the statement

-- postgres: a call
call clean_up(5)
--> other
--> problem: runs code that is not in the statement

-- postgres: nothing
-- only a comment
--> other

-- postgres: not SQL
hello world
--> other
--> problem: a kind of statement that is not known

-- postgres: cut off within a string
select p.email from person p join home h using (home_id) where given_name = 'Ad
--> select
--> read public.person | filtered
--> read public.home | filtered
--> problem: ends within a string, a comment or a quoted name

-- postgres: cut off within a list of columns
update person set email = 
--> update
--> write public.person
--> problem: could not be parsed near word 5

-- mysql: a cut off insert still says where
insert into person values (1, 'a'), (2, 
--> insert
--> write shop.person
--> problem: could not be parsed near word 8

-- postgres: broken
select email from person where (person_id = 3
--> select
--> read public.person | filtered
--> problem: could not be parsed near word 8

-- mysql: names are compared without case
SELECT Email, P.`Given_Name` FROM Person AS p WHERE P.PERSON_ID = "3" AND binary family_name = 'x'
--> select
--> read shop.person | fields email given_name | filtering person_id family_name | key person_id=3 | filtered

-- mysql: another database
select email from other.person join shop.home using (home_id)
--> select
--> read other.person | not resolved | fields email | joining home_id | equal home_id=shop.home.home_id | filtered
--> read shop.home | joining home_id | equal home_id=other.person.home_id | filtered

-- mysql: null-safe equality, hex, introducer
select email from person where person_id <=> 5 and home_id = 0x1F and email = _utf8'x'
--> select
--> read shop.person | fields email | filtering person_id home_id email | key person_id=5 | key home_id=0x1F | key email=x | filtered

-- mysql: catalogues
select * from performance_schema.threads, information_schema.tables, sys.version
--> select

-- sqlite: names are compared without case
select "Email" from Person where "person_id" = 5 and given_name = "Ada"
--> select
--> read main.person | fields email | filtering person_id given_name | key person_id=5 | key given_name=Ada | filtered

-- sqlite: catalogues
select sql from sqlite_master where name = 'person'
--> select

-- sqlite: the attached database by name
select email from main.person where rowid = 5
--> select
--> read main.person | fields email | filtering rowid | key rowid=5 | filtered

-- tsql: top, brackets and variables
select top 5 [email] from [dbo].[person] where [person_id] = @p1
--> select
--> read dbo.person | fields email | filtering person_id | key person_id=$1 | filtered

-- postgres: cut off within a literal, whose value is not known then
select email from person where person_id = 3 and given_name = 'Ad
--> select
--> read public.person | filtered
--> problem: ends within a string, a comment or a quoted name

-- postgres: true for all
select email from person where person_id = 16 or 1 = 1
--> select
--> read public.person | fields email | filtering person_id | filtered

-- sqlite: a quoted name that nothing has is a string, and the text is not to be kept
select * from person where email in ("anna@example.org")
--> select
--> read main.person | fields * | filtering email | filtered
--> problem: a string in double quotes

-- sqlite: quoted names that are names
select "email" as "mail" from "person" order by "mail"
--> select
--> read main.person | fields email
