-- postgres: insert
insert into person (person_id, email) values (1, 'a')
--> insert
--> write public.person | fields person_id email | key person_id=1 | key email=a

-- postgres: insert several rows
insert into person (person_id, email) values (1, 'a'), (2, 'b'), (3, 'c')
--> insert
--> write public.person | fields person_id email | key person_id=1,2,3 | key email=a,b,c

-- postgres: insert rows with nulls
insert into person (person_id, home_id, email) values (1, null, 'a'), (2, 5, 'b')
--> insert
--> write public.person | fields person_id home_id email | key person_id=1,2 | key email=a,b

-- postgres: insert without a list of columns
insert into home values (1, 'High', 'X', $1)
--> insert
--> write public.home | fields * | key home_id=1 | key street=High | key town=X | key phone=$1

-- postgres: insert from a query
insert into person_card (person_id, street) select p.person_id, h.street from person p join home h using (home_id) where p.person_id = 4
--> insert
--> write public.person_card | fields person_id street
--> read public.person | fields person_id | filtering person_id | joining home_id | key person_id=4 | equal home_id=public.home.home_id | filtered
--> read public.home | fields street | joining home_id | equal home_id=public.person.home_id | filtered

-- postgres: insert that gives back
insert into person (email) values ('a') returning person_id
--> insert
--> write public.person | fields email | key email=a
--> read public.person | fields person_id | key email=a | filtered

-- postgres: insert or update
insert into person (person_id, email) values (1, 'a') on conflict (person_id) do update set given_name = excluded.given_name
--> insert
--> write public.person | fields person_id email given_name | key person_id=1 | key email=a

-- postgres: insert with a query of WITH
with x as (select * from visit where room = 'a') insert into clinic.note (person_id, body) select person_id, room from x
--> insert
--> read public.visit | fields person_id room | filtering room | key room=a | filtered
--> write clinic.note | fields person_id body

-- postgres: update
update person set email = email, given_name = 'x' where person_id = 178
--> update
--> write public.person | fields email given_name | filtering person_id | key person_id=178 | filtered

-- postgres: update from another
update person p set email = h.phone from home h where h.home_id = p.home_id and p.person_id = 6
--> update
--> read public.home | fields phone | filtering home_id | equal home_id=public.person.home_id | filtered
--> write public.person | fields email | filtering home_id person_id | key person_id=6 | equal home_id=public.home.home_id | filtered

-- postgres: update that gives back
update person set active = false where person_id in (1, 2) returning *
--> update
--> write public.person | fields active | filtering person_id | key person_id=1,2 | filtered
--> read public.person | fields * | filtering person_id | key person_id=1,2 | filtered

-- postgres: update of several columns at once
update person set (given_name, email) = (select street, phone from home where home_id = 2) where person_id = 1
--> update
--> write public.person | fields given_name email | filtering person_id | key person_id=1 | filtered
--> read public.home | fields street phone | filtering home_id | key home_id=2 | filtered

-- postgres: update of all rows
update person set active = true
--> update
--> write public.person | fields active

-- postgres: delete
delete from person where person_id = 5 and home_id = 6
--> delete
--> write public.person | filtering person_id home_id | key person_id=5 | key home_id=6 | filtered

-- postgres: delete using another
delete from visit v using person p where v.person_id = p.person_id and p.email = 'x'
--> delete
--> read public.person | filtering person_id email | key email=x | equal person_id=public.visit.person_id | filtered
--> write public.visit | filtering person_id | equal person_id=public.person.person_id | filtered

-- postgres: delete by a query
delete from visit where person_id in (select person_id from person where active = false)
--> delete
--> write public.visit | filtering person_id | equal person_id=public.person.person_id | filtered
--> read public.person | filtering active | joining person_id | filtered

-- postgres: delete that gives back, within a query
with gone as (delete from visit where person_id = 7 returning *) select room from gone
--> delete
--> write public.visit | filtering person_id | key person_id=7 | filtered
--> read public.visit | fields room | filtering person_id | key person_id=7 | filtered

-- postgres: merge
merge into person t using home s on t.home_id = s.home_id when matched and s.town = 'X' then update set email = s.phone when not matched then insert (home_id) values (s.home_id)
--> merge
--> write public.person | fields email home_id | joining home_id
--> read public.home | fields phone home_id | filtering town | joining home_id

-- postgres: truncate
truncate table person, visit
--> truncate
--> write public.person
--> write public.visit

-- postgres: create table as
create table person_2026 as select * from person where home_id = 3
--> create_as
--> read public.person | fields * | filtering home_id | key home_id=3 | filtered
--> write person_2026 | not resolved | fields person_id given_name family_name email home_id active

-- postgres: create table as, with a query of WITH
create temp table x as with y as (select email from person) select * from y
--> create_as
--> read public.person | fields email
--> write x | not resolved | fields email

-- postgres: select into
select email into person_2026 from person
--> create_as
--> read public.person | fields email
--> write person_2026 | not resolved | fields email

-- postgres: a materialized view holds rows
create materialized view v as select email from person
--> create_as
--> read public.person | fields email
--> write v | not resolved | fields email

-- mysql: update of a join
update person p join home h on h.home_id = p.home_id set p.email = h.phone where h.town = 'X'
--> update
--> write shop.person | fields email | joining home_id | equal home_id=shop.home.home_id | filtered
--> read shop.home | fields phone | filtering town | joining home_id | key town=X | equal home_id=shop.person.home_id | filtered

-- mysql: update of two
update person p, home h set p.email = 'x', h.phone = 'y' where p.home_id = h.home_id and p.person_id = 3
--> update
--> write shop.person | fields email | filtering home_id person_id | key person_id=3 | equal home_id=shop.home.home_id | filtered
--> write shop.home | fields phone | filtering home_id | equal home_id=shop.person.home_id | filtered

-- mysql: delete from a join
delete v from visit v join person p on p.person_id = v.person_id where p.person_id = 3
--> delete
--> write shop.visit | joining person_id | equal person_id=shop.person.person_id | filtered
--> read shop.person | filtering person_id | joining person_id | key person_id=3 | equal person_id=shop.visit.person_id | filtered

-- mysql: delete using
delete from v using visit v join person p on p.person_id = v.person_id where p.person_id = 3
--> delete
--> write shop.visit | joining person_id | equal person_id=shop.person.person_id | filtered
--> read shop.person | filtering person_id | joining person_id | key person_id=3 | equal person_id=shop.visit.person_id | filtered

-- mysql: replace
replace into person (person_id, email) values (1, 'a'), (2, 'b')
--> insert
--> write shop.person | fields person_id email | key person_id=1,2 | key email=a,b

-- mysql: insert set
insert into person set person_id = 1, email = 'a' on duplicate key update email = 'b'
--> insert
--> write shop.person | fields person_id email | key person_id=1 | key email=a

-- mysql: load data
load data local infile '/tmp/x.csv' into table person fields terminated by ',' (person_id, email)
--> copy_in
--> write shop.person

-- sqlite: replace
insert or replace into person (person_id, email) values (1, 'a')
--> insert
--> write main.person | fields person_id email | key person_id=1 | key email=a

-- tsql: update by alias
update p set email = 'x' from person p join home h on h.home_id = p.home_id where h.town = 'X'
--> update
--> write dbo.person | fields email | joining home_id | equal home_id=dbo.home.home_id | filtered
--> read dbo.home | filtering town | joining home_id | key town=X | equal home_id=dbo.person.home_id | filtered
