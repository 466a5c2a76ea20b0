-- ocsf: a count
select count(*) from customer
--> read public.customer | none | part

-- ocsf: sums by something that is nobody's
select film_id, count(*) from rental group by film_id
--> read public.rental | none | fields film_id | part

-- ocsf: by the identifier
select customer_id, count(*) from rental group by customer_id
--> read public.rental | table | fields customer_id | part

-- ocsf: by the identifier, with a condition
select customer_id, count(*) from rental where film_id = 3 group by customer_id
--> read public.rental | predicate | fields customer_id | part

-- ocsf: by a name
select last_name, count(*) from customer group by last_name
--> read public.customer | table | fields last_name | part

-- ocsf: by e-mail address, counted only
select count(distinct email) from customer
--> read public.customer | none | part

-- ocsf: an aggregate that shows what it was given
select max(email) from customer
--> read public.customer | table | fields email | part

-- ocsf: a count of one person's rows
select count(*) from rental where customer_id = 5
--> read public.rental | subjects | customer:5 | count 1 | part

-- ocsf: a count among joined rows
select count(*) from customer c join rental r on r.customer_id = c.customer_id
--> read public.customer | none | part | joined
--> read public.rental | none | part | joined
