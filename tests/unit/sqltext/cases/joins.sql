-- postgres: using
select p.person_id, p.email, h.street, h.phone from person p join home h using (home_id) where person_id = 16
--> select
--> read public.person | fields person_id email | filtering person_id | joining home_id | key person_id=16 | equal home_id=public.home.home_id | filtered
--> read public.home | fields street phone | joining home_id | equal home_id=public.person.home_id | filtered

-- postgres: on
select p.email, v.room from person p inner join visit v on v.person_id = p.person_id where p.person_id = 5 and v.room = 'b'
--> select
--> read public.person | fields email | filtering person_id | joining person_id | key person_id=5 | equal person_id=public.visit.person_id | filtered
--> read public.visit | fields room | filtering room | joining person_id | key room=b | equal person_id=public.person.person_id | filtered

-- postgres: a merged column holds both sides
select p.email, v.room from person p join visit v using (person_id) where person_id = 16
--> select
--> read public.person | fields email | filtering person_id | joining person_id | key person_id=16 | equal person_id=public.visit.person_id | filtered
--> read public.visit | fields room | filtering person_id | joining person_id | key person_id=16 | equal person_id=public.person.person_id | filtered

-- postgres: all fields of a join
select * from person join home using (home_id)
--> select
--> read public.person | fields * | joining home_id | equal home_id=public.home.home_id | filtered
--> read public.home | fields * | joining home_id | equal home_id=public.person.home_id | filtered

-- postgres: a left join restricts only the right side
select p.email, h.street from person p left join home h on h.home_id = p.home_id and p.person_id = 5 and h.town = 'X'
--> select
--> read public.person | fields email | joining home_id person_id
--> read public.home | fields street | joining home_id town | key town=X | equal home_id=public.person.home_id | filtered

-- postgres: a left join under a WHERE
select p.email, h.street from person p left join home h on h.home_id = p.home_id where p.person_id = 5
--> select
--> read public.person | fields email | filtering person_id | joining home_id | key person_id=5 | filtered
--> read public.home | fields street | joining home_id | equal home_id=public.person.home_id | filtered

-- postgres: a right join
select p.email, h.street from person p right join home h on h.home_id = p.home_id and p.active = '1'
--> select
--> read public.person | fields email | joining home_id active | key active=1 | equal home_id=public.home.home_id | filtered
--> read public.home | fields street | joining home_id

-- postgres: a full join
select p.email, h.street from person p full join home h on h.home_id = p.home_id and p.person_id = 5
--> select
--> read public.person | fields email | joining home_id person_id
--> read public.home | fields street | joining home_id

-- postgres: a left join with using
select p.email, h.street from person p left join home h using (home_id)
--> select
--> read public.person | fields email | joining home_id
--> read public.home | fields street | joining home_id | equal home_id=public.person.home_id | filtered

-- postgres: a cross join and a comma restrict nothing
select p.email, h.street, v.room from person p cross join home h, visit v
--> select
--> read public.person | fields email
--> read public.home | fields street
--> read public.visit | fields room

-- postgres: a comma with a condition
select p.email, v.room from person p, visit v where p.person_id = v.person_id and v.person_id = 7
--> select
--> read public.person | fields email | filtering person_id | equal person_id=public.visit.person_id | filtered
--> read public.visit | fields room | filtering person_id | key person_id=7 | equal person_id=public.person.person_id | filtered

-- postgres: a natural join
select email, room from person natural join visit
--> select
--> read public.person | fields email | joining person_id | equal person_id=public.visit.person_id | filtered
--> read public.visit | fields room | joining person_id | equal person_id=public.person.person_id | filtered

-- postgres: the same dataset twice
select a.email, b.email from person a join person b on a.home_id = b.home_id where a.person_id = 1 and b.person_id = 2
--> select
--> read public.person | fields email | filtering person_id | joining home_id | key person_id=1 | equal home_id=public.person.home_id | filtered
--> read public.person | fields email | filtering person_id | joining home_id | key person_id=2 | equal home_id=public.person.home_id | filtered

-- postgres: a join in parentheses
select p.email from person p left join (visit v join home h on h.home_id = v.room) on v.person_id = p.person_id
--> select
--> read public.person | fields email | joining person_id
--> read public.visit | joining room person_id | equal room=public.home.home_id | equal person_id=public.person.person_id | filtered
--> read public.home | joining home_id | equal home_id=public.visit.room | filtered

-- postgres: a lateral query sees what stands before it
select p.email, x.room from person p left join lateral (select room from visit v where v.person_id = p.person_id limit 1) x on true where p.person_id = 3
--> select
--> read public.person | fields email | filtering person_id | key person_id=3 | filtered
--> read public.visit | fields room | filtering person_id | equal person_id=public.person.person_id | filtered

-- postgres: a lateral query leaves out for whom it gives nothing
select p.* from person p, lateral (select 1 from visit v where v.person_id = p.person_id and p.person_id = 3) x
--> select
--> read public.person | fields * | filtering person_id | filtered
--> read public.visit | filtering person_id | equal person_id=public.person.person_id | filtered

-- postgres: three datasets
select p.email, h.town, sum(v.amount) from person p join home h on h.home_id = p.home_id join visit v on v.person_id = p.person_id where h.town = 'X' group by p.email, h.town
--> select
--> read public.person | fields email | joining home_id person_id | equal home_id=public.home.home_id | equal person_id=public.visit.person_id | filtered | aggregate only
--> read public.home | fields town | filtering town | joining home_id | key town=X | equal home_id=public.person.home_id | filtered | aggregate only
--> read public.visit | joining person_id | equal person_id=public.person.person_id | filtered | aggregate only

-- postgres: a dataset joined only to restrict
select v.room from visit v join person p on p.person_id = v.person_id where p.email = 'a@b'
--> select
--> read public.visit | fields room | joining person_id | equal person_id=public.person.person_id | filtered
--> read public.person | filtering email | joining person_id | key email=a@b | equal person_id=public.visit.person_id | filtered

-- postgres: unknown datasets
select n.a, p.email from nowhere n join person p on n.id = p.person_id where n.k = 5
--> select
--> read nowhere | not resolved | fields a | filtering k | joining id | key k=5 | equal id=public.person.person_id | filtered
--> read public.person | fields email | joining person_id | equal person_id=nowhere.id | filtered

-- postgres: a comma bounds what a join restricts
select p.email, h.street, v.room from person p, home h join visit v on v.room = h.home_id
--> select
--> read public.person | fields email
--> read public.home | fields street | joining home_id | equal home_id=public.visit.room | filtered
--> read public.visit | fields room | joining room | equal room=public.home.home_id | filtered

-- postgres: an inner join's condition holds for both sides
select p.email, h.street from person p join home h on h.home_id = p.home_id and p.person_id = 5 and h.town in ('X', 'Y')
--> select
--> read public.person | fields email | joining home_id person_id | key person_id=5 | equal home_id=public.home.home_id | filtered
--> read public.home | fields street | joining home_id town | key town=X,Y | equal home_id=public.person.home_id | filtered

-- postgres: joins within parentheses within parentheses, as the server itself writes them in views
select p.email, h.street, v.room from ((person p join home h on ((p.home_id = h.home_id))) left join visit v on ((v.person_id = p.person_id))) where (p.person_id = 5)
--> select
--> read public.person | fields email | filtering person_id | joining home_id person_id | key person_id=5 | equal home_id=public.home.home_id | filtered
--> read public.home | fields street | joining home_id | equal home_id=public.person.home_id | filtered
--> read public.visit | fields room | joining person_id | equal person_id=public.person.person_id | filtered

-- postgres: queries joined within parentheses
select a.email, b.street from ((select * from person where person_id = 5) a join (select * from home) b using (home_id))
--> select
--> read public.person | fields email | filtering person_id | joining home_id | key person_id=5 | equal home_id=public.home.home_id | filtered
--> read public.home | fields street | joining home_id | equal home_id=public.person.home_id | filtered

-- postgres: a query in more parentheses than it needs
select x.email from ((select * from person where person_id = 5)) x
--> select
--> read public.person | fields email | filtering person_id | key person_id=5 | filtered
