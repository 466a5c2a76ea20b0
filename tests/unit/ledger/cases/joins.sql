-- ocsf: along the key
select r.rented from customer c join rental r on r.customer_id = c.customer_id where c.customer_id = 1
--> read public.customer | subjects | customer:1 | count 1 | part | joined
--> read public.rental | subjects | customer:1 | count 1 | fields rented | part | joined

-- ocsf: along the key, three deep
select p.amount from customer c join rental r on r.customer_id = c.customer_id join payment p on p.customer_id = r.customer_id where c.customer_id = 1
--> read public.customer | subjects | customer:1 | count 1 | part | joined
--> read public.rental | subjects | customer:1 | count 1 | part | joined
--> read public.payment | subjects | customer:1 | count 1 | fields amount | part | joined

-- ocsf: along the key, the other way about
select c.email from rental r join customer c on r.customer_id = c.customer_id where r.customer_id = 1
--> read public.rental | subjects | customer:1 | count 1 | part | joined
--> read public.customer | subjects | customer:1 | count 1 | fields email | part | joined

-- ocsf: along another field, to a dataset without an identifier
select a.phone from customer c join address a on a.address_id = c.address_id where c.customer_id = 1
--> read public.customer | subjects | customer:1 | count 1 | part | joined
--> read public.address | subjects | customer:1 | count 1 | fields phone | part | joined

-- ocsf: along another field, to rows that carry identifiers of their own
select p.amount from rental r join payment p on p.rental_id = r.rental_id where r.customer_id = 1
--> read public.rental | subjects | customer:1 | count 1 | part | joined
--> read public.payment | predicate | fields amount | part | joined

-- ocsf: the rows of others reached through a film
select o.rented from rental r join rental o on o.film_id = r.film_id where r.customer_id = 1
--> read public.rental | predicate | customer:1 | fields rented | part

-- ocsf: a self join, both held
select a.email from customer a, customer b where a.customer_id = 1 and b.customer_id = 2
--> read public.customer | subjects | customer:1 customer:2 | count 2 | fields email | part

-- ocsf: a self join along the key
select a.email, b.email from customer a join customer b on a.customer_id = b.customer_id where a.customer_id = 1
--> read public.customer | subjects | customer:1 | count 1 | fields email | part

-- ocsf: a self join, one free
select a.email from customer a, customer b where b.customer_id = 2
--> read public.customer | predicate | customer:2 | fields email | part

-- ocsf: LEFT JOIN restricts its right side alone
select * from address a left join customer c on c.address_id = a.address_id and c.customer_id = 1
--> read public.address | table | fields * | part | joined
--> read public.customer | subjects | customer:1 | count 1 | fields * | part | joined

-- ocsf: LEFT JOIN from the person
select * from customer c left join address a on a.address_id = c.address_id where c.customer_id = 1
--> read public.customer | subjects | customer:1 | count 1 | fields * | part | joined
--> read public.address | subjects | customer:1 | count 1 | fields * | part | joined

-- ocsf: a key that is held on a table without identifiers
select c.email from customer c join unknown u on u.ref = c.customer_id where u.ref = 4
--> read public.customer | subjects | customer:4 | count 1 | fields email | part | joined
--> read public.unknown | subjects | customer:4 | count 1 | part | joined

-- ocsf: IN with a query
select phone from address where address_id in (select address_id from customer where customer_id = 1)
--> read public.address | subjects | customer:1 | count 1 | fields phone | part | joined
--> read public.customer | subjects | customer:1 | count 1 | part | joined

-- ocsf: EXISTS
select title from film f where exists (select 1 from rental r where r.film_id = f.film_id and r.customer_id = 1)
--> read public.film | predicate | fields title | part | joined
--> read public.rental | subjects | customer:1 | count 1 | part | joined

-- ocsf: a WITH
with mine as (select * from customer where customer_id = 1) select m.email, r.rented from mine m join rental r on r.customer_id = m.customer_id
--> read public.customer | subjects | customer:1 | count 1 | fields email | part | joined
--> read public.rental | subjects | customer:1 | count 1 | fields rented | part | joined

-- ocsf: UNION of two persons
select email from customer where customer_id = 1 union all select email from customer where customer_id = 2
--> read public.customer | subjects | customer:1 customer:2 | count 2 | fields email | part

-- ocsf: UNION of one person and all
select email from customer where customer_id = 1 union all select email from customer
--> read public.customer | table | customer:1 | fields email | part

-- ocsf: persons of one kind lead to rows of another, and not whose they are
select c.email from customer c join orders o on o.total = c.address_id where o.seller_id = 4
--> read public.customer | predicate | seller:4 | fields email | part | joined
--> read public.orders | subjects | seller:4 | count 1 | part | joined

-- ocsf: a row that names two of a kind, one of them told
select * from friend where a = 6
--> read public.friend | predicate | member:6 | fields * | part

-- ocsf: both told
insert into friend (a, b) values (3, 7)
--> create public.friend | subjects | member:3 member:7 | count 2 | fields * | part

-- ocsf: the other one of the row
select m.name from friend f join member m on m.code = f.b where f.a = 6
--> read public.friend | predicate | member:6 | part | joined
--> read public.member | predicate | fields name | part | joined

-- ocsf: to whom rows are given, and whose they were
update rental set customer_id = 1 where customer_id = 2
--> update public.rental | subjects | customer:2 customer:1 | count 2 | fields customer_id | part

-- ocsf: to whom a row is given that was somebody's
update rental set customer_id = 1 where rental_id = 5
--> update public.rental | predicate | customer:1 | fields customer_id | part
