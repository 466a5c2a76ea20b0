-- postgres: a view reads nothing when it is made
create or replace view person_list as select given_name, email from person where home_id = 3
--> ddl
--> write person_list | not resolved

-- postgres: a table
create table if not exists t (a int primary key, b text default 'x', c numeric(10, 2))
--> ddl
--> write t | not resolved

-- postgres: an index
create index concurrently on person (email)
--> ddl
--> write public.person

-- postgres: drop
drop table if exists person, unknown cascade
--> ddl
--> write public.person
--> write unknown | not resolved

-- postgres: alter
alter table person add column phone text
--> ddl
--> write public.person

-- postgres: grant
grant select, update (email) on table person, clinic.note to analyst, "Other Role" with grant option
--> grant
--> write public.person
--> write clinic.note

-- postgres: grant on a whole schema
grant all privileges on all tables in schema clinic, other to analyst
--> grant
--> write clinic.note

-- postgres: a role
grant admin to someone
--> grant

-- postgres: what holds no rows
grant usage on schema public to analyst
--> grant

-- postgres: revoke
revoke all on person from public
--> revoke
--> write public.person

-- postgres: a role with a password
create role someone login password 'secret'
--> ddl

-- postgres: refresh
refresh materialized view concurrently person_card
--> ddl
--> write public.person_card

-- postgres: a function and a call of it
create function f(x int) returns int as $$ select email from person $$ language sql; select email from person
--> ddl
--> read public.person | fields email

-- postgres: a trigger
create trigger t after insert on person for each row execute function f()
--> ddl
--> write public.person

-- postgres: housekeeping
vacuum full person; analyze person; set search_path = 'x'; begin; commit; lock table person; show all; reset all
--> other

-- postgres: comments
comment on column person.email is 'x'
--> other

-- mysql: a view with its options
create algorithm=undefined definer=`root`@`localhost` sql security definer view v as select email from person
--> ddl
--> write v | not resolved

-- mysql: a procedure's body does not run
create procedure p(in x int) begin delete from person where person_id = x; select * from home; end
--> ddl

-- mysql: a trigger's body does not run
create trigger t before insert on person for each row begin delete from visit; end
--> ddl
--> write shop.person

-- mysql: rename
rename table person to people
--> ddl
--> write shop.person

-- mysql: grant on a database
grant select on shop.* to 'a'@'%'
--> grant
--> write shop.person
--> write shop.home
--> write shop.visit
--> write shop.person_card
--> write shop.Mixed

-- mysql: housekeeping
set names utf8; use shop; show tables; describe person; flush privileges
--> other
