-- postgres: copy a query out
copy (select email from person where home_id = 3) to stdout with (format csv, header)
--> export
--> read public.person | fields email | filtering home_id | key home_id=3 | filtered

-- postgres: copy a table out
COPY public.person TO '/tmp/x.csv'
--> export
--> read public.person | fields *

-- postgres: copy columns out
copy person (person_id, email) to program 'gzip'
--> export
--> read public.person | fields person_id email

-- postgres: copy in
copy person (person_id, email) from stdin
--> copy_in
--> write public.person | fields person_id email

-- postgres: copy out what a write gives back
copy (delete from visit where person_id = 3 returning *) to stdout
--> export
--> write public.visit | filtering person_id | key person_id=3 | filtered
--> read public.visit | fields * | filtering person_id | key person_id=3 | filtered

-- mysql: into outfile
select email from person into outfile '/tmp/x' fields terminated by ',' optionally enclosed by '"' lines terminated by '\n'
--> export
--> read shop.person | fields email

-- mysql: into outfile, before FROM
select email into outfile '/tmp/x' from person where person_id = 3
--> export
--> read shop.person | fields email | filtering person_id | key person_id=3 | filtered

-- mysql: into a variable
select email into @e from person where person_id = 3
--> select
--> read shop.person | fields email | filtering person_id | key person_id=3 | filtered
