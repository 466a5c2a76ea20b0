-- pgaudit object=public.customer activity=read rows=1: a record a relation
select email from customer where customer_id = 16
--> read public.customer | subjects | customer:16 | count 1 | rows 1 | fields email

-- pgaudit object=public.address activity=read rows=1: joined on a key, the other relation's record
select c.email, a.phone from customer c join address a on a.address_id = c.address_id where c.customer_id = 16
--> read public.address | subjects | customer:16 | count 1 | rows 1 | fields phone | joined

-- pgaudit object=public.customer activity=read rows=1: joined on a key, the person's own record
select c.email, a.phone from customer c join address a on a.address_id = c.address_id where c.customer_id = 16
--> read public.customer | subjects | customer:16 | count 1 | rows 1 | fields email | joined

-- pgaudit object=public.customer_list activity=read rows=1: a view
select name from customer_list where id = 16
--> read public.customer_list | subjects | customer:16 | count 1 | rows 1 | fields name

-- pgaudit object=public.customer activity=read rows=1: the table under the view, which the text does not name
select name from customer_list where id = 16
--> read public.customer | subjects | customer:16 | count 1 | rows 1 | joined

-- pgaudit object=public.customer activity=read rows=599: the table under a view that is read whole
select * from customer_list
--> read public.customer | table | count 599 | rows 599 | joined

-- pgaudit object=public.customer activity=read rows=300: the table under a view that leaves rows out
select * from customer_list
--> read public.customer | predicate | rows 300 | joined

-- pgaudit object=public.customer activity=read: the table under a view, which may leave rows out
select * from customer_list
--> read public.customer | predicate | joined

-- pgaudit object=public.customer activity=read: the table under a view, asked about something that names nobody
select * from customer_list where name like 'A%'
--> read public.customer | predicate | joined

-- pgaudit object=public.customer activity=export rows=0: COPY of a query, the relation's record
copy (select * from customer) to stdout
--> export public.customer | table | count 599 | rows 599 | fields *

-- pgaudit object= activity=export rows=599: COPY of a query, its own record
copy (select * from customer) to stdout
--> export public.customer | table | count 599 | rows 599 | fields * | part

-- pgaudit object= activity=export rows=0: COPY of a table without an object, as of pg_dump
COPY public.customer (customer_id, first_name, last_name, email, address_id) TO stdout;
--> export public.customer | table | count 599 | rows 599 | fields * | part

-- pgaudit object= activity=export rows=0: COPY of some columns
copy customer (email) to '/tmp/x.csv'
--> export public.customer | table | count 599 | rows 599 | fields email | part

-- pgaudit object=public.customer activity=create rows=3: COPY into a table
copy customer from stdin
--> create public.customer | predicate | rows 3 | fields *

-- pgaudit object=public.customer activity=read rows=599: CREATE TABLE AS, what it read
create table spare as select * from customer
--> read public.customer | table | count 599 | rows 599 | fields * | joined

-- pgaudit object=public.spare activity=create rows=599: CREATE TABLE AS, what it made
create table spare as select * from customer
--> create public.spare | predicate | rows 599 | fields customer_id first_name last_name email address_id | joined

-- pgaudit object=public.rental activity=read rows=16044: INSERT .. SELECT, what it read
insert into archive select customer_id, rented from rental
--> read public.rental | table | rows 16044 | fields customer_id rented | joined

-- pgaudit object=public.archive activity=create rows=16044: INSERT .. SELECT, what it wrote
insert into archive select customer_id, rented from rental
--> create public.archive | predicate | rows 16044 | fields * | joined

-- pgaudit object=public.customer activity=create rows=2: INSERT of persons
insert into customer (first_name, customer_id) values ('Ada', 16), ('Bo', 17)
--> create public.customer | subjects | customer:16 customer:17 | count 2 | rows 2 | fields first_name customer_id

-- pgaudit object=public.customer activity=update rows=1: UPDATE by key
update customer set email = 'x' where customer_id = 16
--> update public.customer | subjects | customer:16 | count 1 | rows 1 | fields email

-- pgaudit object=public.customer activity=update rows=1: UPDATE .. FROM, what it wrote
update customer c set email = 'x' from address a where a.address_id = c.address_id and c.customer_id = 16
--> update public.customer | subjects | customer:16 | count 1 | rows 1 | fields email | joined

-- pgaudit object=public.address activity=read rows=1: UPDATE .. FROM, what it read
update customer c set email = 'x' from address a where a.address_id = c.address_id and c.customer_id = 16
--> read public.address | subjects | customer:16 | count 1 | rows 1 | joined

-- pgaudit object=public.customer activity=update rows=599: UPDATE without a condition
update customer set email = null
--> update public.customer | table | count 599 | rows 599 | fields email

-- pgaudit object=public.customer activity=update rows=1: UPDATE .. RETURNING
update customer set email = 'x' where customer_id = 16 returning email
--> update public.customer | subjects | customer:16 | count 1 | rows 1 | fields email | joined

-- pgaudit object=public.rental activity=delete rows=2: DELETE by key
delete from rental where customer_id = 16
--> delete public.rental | subjects | customer:16 | count 1 | rows 2

-- pgaudit object=public.customer activity=delete: DELETE .. USING
delete from customer c using rental r where r.customer_id = c.customer_id and r.customer_id = 9
--> delete public.customer | subjects | customer:9 | count 1 | joined

-- pgaudit object=public.rental activity=delete: TRUNCATE
truncate rental
--> delete public.rental | table

-- pgaudit object=public.customer activity=update: MERGE
merge into customer c using rental r on c.customer_id = r.customer_id when matched then update set email = 'x'
--> update public.customer | predicate | fields email | joined

-- pgaudit object=public.customer activity=grant: GRANT
grant select on customer to bob
--> grant public.customer | none

-- pgaudit object= activity=grant: GRANT on several
grant select on customer, rental to bob
--> grant public.customer | none | part | joined
--> grant public.rental | none | part | joined

-- pgaudit object=public.customer activity=other: DDL
alter table customer add column nickname text
--> other public.customer | none

-- pgaudit object=public.peek activity=other: the definition of a view reads no one's rows
create view peek as select * from customer where customer_id = 5
--> other public.peek | none

-- pgaudit object= activity=other: EXPLAIN reads no rows
explain select * from customer where customer_id = 5
--> other public.customer | none | part

-- pgaudit object= activity=read: the catalogue
select * from pg_catalog.pg_class

-- pgaudit object= activity=other: a setting
set search_path = public

-- pgaudit object= activity=other: code that is not in the text
do $$ begin delete from customer; end $$

-- pgaudit object=public.customer activity=read rows=1: the text was not logged
--> read public.customer | predicate | rows 1

-- pgaudit object=public.customer activity=read: a text that is not understood
select email from customer where ((customer_id = 16
--> read public.customer | predicate

-- pgaudit object=public.customer activity=create: a CREATE TABLE AS that is not understood
create table spare as selec * from customer
--> create public.customer | predicate | joined

-- pgaudit object=public.unknown activity=read: a table the scan has not seen
select * from unknown where id = 5
--> read public.unknown | predicate

-- pgaudit object=public.rental activity=delete rows=1: a WITH that deletes here and inserts elsewhere
with gone as (delete from rental where customer_id = 3 returning *) insert into archive (customer_id) select customer_id from gone
--> delete public.rental | subjects | customer:3 | count 1 | rows 1 | joined

-- pgaudit object=public.archive activity=create rows=1: and the other dataset
with gone as (delete from rental where customer_id = 3 returning *) insert into archive (customer_id) select customer_id from gone
--> create public.archive | predicate | rows 1 | fields customer_id | joined
