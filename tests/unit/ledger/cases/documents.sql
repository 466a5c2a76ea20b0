-- ocsf activity=query rows=1: a statement alone
select email from customer where customer_id = 16
--> read public.customer | subjects | customer:16 | count 1 | rows 1 | fields email | part

-- ocsf activity=: a statement that says what was done
delete from rental where customer_id = 16
--> delete public.rental | subjects | customer:16 | count 1 | part

-- ocsf activity=query: a statement over several datasets
select c.email, r.rented from customer c join rental r on r.customer_id = c.customer_id where c.customer_id = 16
--> read public.customer | subjects | customer:16 | count 1 | fields email | part | joined
--> read public.rental | subjects | customer:16 | count 1 | fields rented | part | joined

-- ocsf activity=query object=customer: a table and its statement
select email from customer where customer_id = 16
--> read public.customer | subjects | customer:16 | count 1 | fields email

-- ocsf activity=query object=customer: a table, and a statement that names others too
select c.email, a.phone from customer c join address a using (address_id) where c.customer_id = 16
--> read public.customer | subjects | customer:16 | count 1 | fields email | part | joined
--> read public.address | subjects | customer:16 | count 1 | fields phone | part | joined

-- ocsf activity=read object=crm.thing: a table, and a statement that does not name it
select email from customer where customer_id = 16
--> read crm.thing | subjects | customer:16 | count 1 | part | joined
--> read public.customer | subjects | customer:16 | count 1 | fields email | part

-- ocsf activity=update: a write that reads another dataset
update customer c set email = 'x' from address a where a.address_id = c.address_id and c.customer_id = 16
--> read public.address | subjects | customer:16 | count 1 | part | joined
--> update public.customer | subjects | customer:16 | count 1 | fields email | part | joined

-- ocsf activity=update: a write that gives rows back
update customer set email = 'x' where customer_id = 16 returning *
--> update public.customer | subjects | customer:16 | count 1 | fields email | part | joined
--> read public.customer | subjects | customer:16 | count 1 | fields * | part | joined

-- ocsf activity=read object=public.customer rows=7: a table alone
--> read public.customer | predicate | rows 7

-- ocsf activity=query: a statement without a dataset
select 1

-- ocsf activity= object=customer: a table and a statement that is not understood
selec this from nothing
--> query public.customer | predicate | joined

-- ocsf activity=login: no dataset and no statement
--> login None | none

-- ocsf activity=query: several statements in one text
select 1; select email from customer where customer_id = 3; delete from rental where customer_id = 4
--> read public.customer | subjects | customer:3 | count 1 | fields email | part | joined
--> delete public.rental | subjects | customer:4 | count 1 | part | joined

-- ocsf activity=query: a write and a read of the same dataset
insert into rental select * from rental where customer_id = 16
--> create public.rental | predicate | fields * | part | joined
--> read public.rental | subjects | customer:16 | count 1 | fields * | part | joined

-- mapped activity=read object=customer subjects=customer:7 rows=1: a subject and no statement
--> read public.customer | subjects | customer:7 | count 1 | rows 1

-- mapped activity=read subjects=customer:7,customer:7,seller:2: subjects and no dataset
--> read None | subjects | customer:7 seller:2 | count 2

-- mapped activity=read subjects=customer:7 subject_count=40: more subjects than are listed
--> read None | subjects | customer:7 | count 40

-- mapped activity=read object=customer scope=table: the mapping says how far it reached
--> read public.customer | table

-- mapped activity=read subjects=customer:007: a subject written another way
select 1
--> read None | subjects | customer:7 | count 1

-- mapped activity=read subjects=customer:7: the log names the subject behind a bind parameter
select email from customer where customer_id = $1
--> read public.customer | subjects | customer:7 | count 1 | fields email | part

-- mapped activity=read subjects=customer:7: the log names one, the statement another
select email from customer where customer_id = 16
--> read public.customer | subjects | customer:7 customer:16 | count 2 | fields email | part

-- mapped activity=read subjects=customer:7: the log names one, the statement takes all
select * from customer
--> read public.customer | table | customer:7 | fields * | part

-- mapped activity=read subjects=customer:7: the log names one, the statement leaves others open
select * from customer where customer_id in (16, $1)
--> read public.customer | predicate | customer:7 customer:16 | fields * | part

-- mapped activity=read subjects=customer:7: the log names a subject, the statement cannot be understood
selec * fro customer
--> read None | subjects | customer:7 | count 1

-- mapped activity=read subjects=customer:7: an aggregate of a named subject
select count(*) from rental where customer_id = $1
--> read public.rental | subjects | customer:7 | count 1 | part

-- mapped activity=read object=files/a.csv store=elsewhere: a store that was never scanned
--> read files/a.csv | predicate

-- mapped activity=export object=customer fields=email,last_name: fields as the log says
select * from customer
--> export public.customer | table | fields email last_name

-- ocsf: a WITH that deletes here and inserts elsewhere
with gone as (delete from rental where customer_id = 3 returning customer_id) insert into archive (customer_id) select customer_id from gone
--> delete public.rental | subjects | customer:3 | count 1 | part | joined
--> read public.rental | subjects | customer:3 | count 1 | fields customer_id | part | joined
--> create public.archive | predicate | fields customer_id | part | joined
