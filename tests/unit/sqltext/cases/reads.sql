-- postgres: one person
select email, given_name from person where person_id = 16
--> select
--> read public.person | fields email given_name | filtering person_id | key person_id=16 | filtered

-- postgres: all fields, one person by name
SELECT * FROM public.person WHERE family_name = 'Smith'
--> select
--> read public.person | fields * | filtering family_name | key family_name=Smith | filtered

-- postgres: a whole table
select * from person
--> select
--> read public.person | fields *

-- postgres: a table statement
table person
--> select
--> read public.person | fields *

-- postgres: an alias and its star
select p.* from person p where p.active
--> select
--> read public.person | fields * | filtering active | filtered

-- postgres: a field inside an expression leaves too
select upper(email) || '!' from person where length(given_name) > 3
--> select
--> read public.person | fields email | filtering given_name | filtered

-- postgres: a row as a whole
select row_to_json(p) from person p
--> select
--> read public.person | fields *

-- postgres: a limit filters
select email from person limit 10
--> select
--> read public.person | fields email | filtered

-- postgres: an order does not
select given_name from person order by email, 1
--> select
--> read public.person | fields given_name

-- postgres: a sample filters
select email from person tablesample system (5)
--> select
--> read public.person | fields email | filtered

-- postgres: distinct does not filter, distinct on does
select distinct given_name from person
--> select
--> read public.person | fields given_name

-- postgres: distinct on
select distinct on (home_id) given_name from person
--> select
--> read public.person | fields given_name | filtered

-- postgres: another schema, another spelling
select "Name" from "Mixed" m, Clinic.Note n where m."Id" = 3
--> select
--> read public.Mixed | fields Name | filtering Id | key Id=3 | filtered
--> read clinic.note | filtered

-- postgres: what the schema lacks is named as written
select a, u.b from elsewhere.unknown u where u.c = 5
--> select
--> read elsewhere.unknown | not resolved | fields a b | filtering c | key c=5 | filtered

-- postgres: all fields of what the schema lacks
select * from unknown
--> select
--> read unknown | not resolved

-- postgres: a field the schema does not have yet
select new_field from person where person_id = 1
--> select
--> read public.person | fields new_field | filtering person_id | key person_id=1 | filtered

-- postgres: catalogues are left out
select c.relname, p.email from pg_class c, information_schema.columns i, pg_catalog.pg_namespace n, person p
--> select
--> read public.person | fields email

-- postgres: only a catalogue
select relname from pg_class where oid = 5 and relkind = any(array['r', 'v'])
--> select

-- postgres: no table at all
select now(), 1
--> select

-- postgres: rows as they are given
values (1, 'a'), (2, 'b')
--> select

-- postgres: a function in FROM passes on what it is given
select t.word from person p, unnest(string_to_array(p.email, '@')) as t(word)
--> select
--> read public.person | fields email | filtered

-- postgres: a function in FROM that is given nothing leaves nobody out
select email from person p, generate_series(1, 3) n
--> select
--> read public.person | fields email

-- postgres: locking
select email from person where person_id = 4 for update
--> select
--> read public.person | fields email | filtering person_id | key person_id=4 | filtered

-- postgres: columns renamed in FROM
select p.b from person as p(a, b) where p.a = 7
--> select
--> read public.person | fields given_name | filtering person_id | key person_id=7 | filtered

-- postgres: three parts
select email from company.public.person where person_id = 1
--> select
--> read public.person | fields email | filtering person_id | key person_id=1 | filtered

-- postgres: constants alone
select 1 from person where person_id = 16
--> select
--> read public.person | filtering person_id | key person_id=16 | filtered | aggregate only
