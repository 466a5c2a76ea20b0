-- ocsf: a literal
select email from customer where customer_id = 16
--> read public.customer | subjects | customer:16 | count 1 | fields email | part

-- ocsf: a list
select email from customer where customer_id in (3, 1, 2, 1)
--> read public.customer | subjects | customer:3 customer:1 customer:2 | count 3 | fields email | part

-- ocsf: a quoted number
select email from customer where customer_id = '16'
--> read public.customer | subjects | customer:16 | count 1 | fields email | part

-- ocsf: a cast
select email from customer where customer_id = cast('16' as integer) and address_id = 4::int
--> read public.customer | subjects | customer:16 | count 1 | fields email | part

-- ocsf: a bind parameter
select email from customer where customer_id = $1
--> read public.customer | predicate | fields email | part

-- ocsf: a list with a bind parameter
select email from customer where customer_id in (5, $1)
--> read public.customer | predicate | customer:5 | fields email | part

-- ocsf: a parameter, and a list that bounds it
select email from customer where customer_id = $1 and customer_id in (5, 6)
--> read public.customer | subjects | customer:5 customer:6 | count 2 | fields email | part

-- ocsf parameters=16: a bind parameter whose value is logged
select email from customer where customer_id = $1
--> read public.customer | subjects | customer:16 | count 1 | fields email | part

-- ocsf parameters=7,16: the second of two, and a literal
select email from customer where last_name = $1 and customer_id in ($2, 5)
--> read public.customer | subjects | customer:5 customer:16 | count 2 | fields email | part

-- ocsf parameters=16: fewer values than parameters
select email from customer where customer_id in ($1, $2)
--> read public.customer | predicate | customer:16 | fields email | part

-- ocsf parameters=16: through a join
select r.rental_id from rental r join customer c using (customer_id) where c.customer_id = $1
--> read public.rental | subjects | customer:16 | count 1 | fields rental_id | part | joined
--> read public.customer | subjects | customer:16 | count 1 | part | joined

-- ocsf parameters=16: an unnumbered parameter
select email from customer where customer_id = ?
--> read public.customer | subjects | customer:16 | count 1 | fields email | part

-- ocsf: OR over the key
select email from customer where customer_id = 1 or customer_id = 2
--> read public.customer | subjects | customer:1 customer:2 | count 2 | fields email | part

-- ocsf: OR over something else
select email from customer where customer_id = 1 or last_name = 'SMITH'
--> read public.customer | predicate | fields email | part

-- ocsf: negation
select email from customer where not customer_id = 1 and customer_id <> 2
--> read public.customer | predicate | fields email | part

-- ocsf: a range
select email from customer where customer_id between 5 and 5
--> read public.customer | predicate | fields email | part

-- ocsf: LIMIT
select email from customer limit 5
--> read public.customer | predicate | fields email | part

-- ocsf: a name
select email from customer where last_name = 'SMITH'
--> read public.customer | predicate | fields email | part

-- ocsf: leading zeros, an integer key
select email from customer where customer_id = '007'
--> read public.customer | subjects | customer:7 | count 1 | fields email | part

-- ocsf: a fraction, an exponent, spaces, a sign: an integer key
select email from customer where customer_id in ('7.0', 80e-1, ' 9 ', '+10')
--> read public.customer | subjects | customer:7 customer:8 customer:9 customer:10 | count 4 | fields email | part

-- ocsf: a fraction that a cast may round
select email from customer where customer_id = 1.6::int
--> read public.customer | predicate | customer:1.6 | fields email | part

-- ocsf: no number at all, an integer key
select email from customer where customer_id = 'x'
--> read public.customer | predicate | customer:x | fields email | part

-- ocsf: leading zeros, a text key
select name from member where code = '007'
--> read public.member | subjects | member:007 | count 1 | fields name | part

-- ocsf: spaces and unicode, a text key
select name from member where code in (' a b', 'Ünï-7', '漢字')
--> read public.member | subjects | member: a b member:Ünï-7 member:漢字 | count 3 | fields name | part

-- ocsf: leading zeros, a key of unknown type
select page from visit where visitor_id = '007'
--> read public.visit | predicate | visitor:007 | fields page | part

-- ocsf: spaces around, a key of unknown type
select page from visit where visitor_id = ' 7'
--> read public.visit | predicate | visitor: 7 | fields page | part

-- ocsf: a word, a key of unknown type
select page from visit where visitor_id = 'ab-7'
--> read public.visit | subjects | visitor:ab-7 | count 1 | fields page | part

-- ocsf: an empty text
select page from visit where visitor_id = ''
--> read public.visit | predicate | visitor: | fields page | part

-- ocsf: a UUID in capitals
select owner from device where device_id = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'
--> read public.device | subjects | device:a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 | count 1 | fields owner | part

-- ocsf: a UUID as PostgreSQL also takes it
select owner from device where device_id = '{a0eebc999c0b4ef8bb6d6bb9bd380a11}'
--> read public.device | subjects | device:a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 | count 1 | fields owner | part

-- ocsf: a UUID in capitals, a key of unknown type
select page from visit where visitor_id = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'
--> read public.visit | predicate | visitor:A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11 | fields page | part

-- ocsf: two kinds of person in one row
select total from orders where buyer_id = 1 and seller_id = 2
--> read public.orders | subjects | customer:1 seller:2 | count 2 | fields total | part

-- ocsf: one of two kinds
select total from orders where seller_id = 2
--> read public.orders | subjects | seller:2 | count 1 | fields total | part

-- ocsf: two foreign keys
select r.rented, p.amount from rental r, payment p where r.customer_id = 4 and p.customer_id = 5
--> read public.rental | subjects | customer:4 | count 1 | fields rented | part | joined
--> read public.payment | subjects | customer:5 | count 1 | fields amount | part | joined

-- ocsf: an escape that is half a character
select name from member where code = E'\uD800'
--> read public.member | subjects | member:\ud800 | count 1 | fields name | part
