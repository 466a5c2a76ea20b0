-- postgres: numbers, strings and white space
SELECT  a,b FROM T1
  WHERE a=16 AND b = 'O''Brien'  AND c>=1.5e-3 AND d<.5;
--> select a, b from t1 where a = ? and b = ? and c >= ? and d < ?
--> literals 16 | O'Brien | 1.5e-3 | .5

-- postgres: a name with digits is no number
select t1.c2 from s3.t1 where x9 = 9
--> select t1.c2 from s3.t1 where x9 = ?
--> literals 9

-- postgres: escape strings, dollar quotes, bit strings
select E'it\'s\n', $$a 'b'$$, $tag$ x $$ y $tag$, B'101', x'1F', N'n', 0x1f
--> select ?, ?, ?, ?, ?, ?, ?
--> literals it's\n | a 'b' |  x $$ y  | 101 | 1F | n | 0x1f

-- postgres: a backslash is plain in a standard string
select 'c:\', 'next'
--> select ?, ?
--> literals c:\ | next

-- postgres: quoted names keep their case and are no literals
select "First Name", "a""b" from "Mixed" where "Id" = 5
--> select "First Name", "a""b" from "Mixed" where "Id" = ?
--> literals 5

-- postgres: comments go, also nested ones
select /* a /* b 'x' */ c */ 1 -- 'tail'
from t /*traceparent='00-abc'*/
--> select ? from t
--> literals 1

-- postgres: bind parameters
select * from t where a = $1 and b = :name and c = %s and d = %(other)s and e = ? and f::text = '1'
--> select * from t where a = $1 and b = :name and c = ?1 and d = :other and e = ?2 and f::text = ?
--> literals 1

-- postgres: the operators that hold a question mark
select * from t where j ? 'k' and j ?| array['a'] and j @? '$.x' and k = ?
--> select * from t where j ?? ? and j ??| array [ ? ] and j @?? ? and k = ?1
--> literals k | a | $.x

-- postgres: array slices and subscripts
select a[1:2], a[lo:hi] from t
--> select a [ ? : ? ], a [ lo : hi ] from t
--> literals 1 | 2

-- postgres: a list of literals is written once
select * from t where a in (1, 2, 3) and b in ('x') and c not in (4,5)
--> select * from t where a in (?) and b in (?) and c not in (?)
--> literals 1 | 2 | 3 | x | 4 | 5
--> groups (0 1 2) (3) (4 5)

-- postgres: a list that is not all literals stays
select * from t where a in (1, $1, 3)
--> select * from t where a in (?, $1, ?)
--> literals 1 | 3

-- postgres: equal rows of VALUES are written once
insert into t (a, b, c) values (1, 'x', now()), (2, 'y', now()), (3, 'z', now())
--> insert into t (a, b, c) values (?, ?, now ())
--> literals 1 | x | 2 | y | 3 | z
--> groups (0 2 4) (1 3 5)

-- postgres: plain rows of VALUES may differ in nulls and signs
insert into t (a, b, c) values (1, null, 'p'), (2, 'y', 'q'), (-3, default, 'r')
--> insert into t (a, b, c) values (?, ?, ?)
--> literals 1 | p | 2 | y | q | 3 | r
--> groups () () (1 4 6)

-- postgres: rows that differ in more stay
insert into t values (1, now()), (2, 'x')
--> insert into t values (?, now ()), (?, ?)
--> literals 1 | 2 | x

-- postgres: a string without an end takes all that follows
select * from t where a = 'abc and b = 5
--> select * from t where a = ? ...
--> literals 'abc and b = 5

-- postgres: a comment without an end takes all that follows
select 1 /* abc 'x'
--> select ? ? ...
--> literals 1 | /* abc 'x'

-- postgres: a quoted name without an end takes all that follows
select 1 from "abc where x = 'y'
--> select ? from ? ...
--> literals 1 | "abc where x = 'y'

-- postgres: a dollar quote without an end takes all that follows
select 1, $x$ abc $y$ 'z'
--> select ?, ? ...
--> literals 1 | $x$ abc $y$ 'z'

-- postgres: several statements
begin; select 1; commit;
--> begin ; select ? ; commit
--> literals 1

-- mysql: both quotes make strings, with backslashes
select "O\"Brien", 'it\'s', 'a''b', `From` from `my table` where x = 0x1F
--> select ?, ?, ?, `From` from `my table` where x = ?
--> literals O"Brien | it's | a'b | 0x1F

-- mysql: hash and dash comments
select 5--1 # tail 'x'
-- also 'y'
from t
--> select ? - - ? from t
--> literals 5 | 1

-- mysql: what MySQL runs inside a comment stays
/*!50610 alter table t engine=InnoDB */
--> alter table t engine = innodb

-- mysql: names that begin with digits, and variables
select 2fa.1x, @v, @@session.sql_mode, 1e5, 12 from 2fa where a=@v
--> select 2fa.1x, @v, @@session.sql_mode, ?, ? from 2fa where a = @v
--> literals 1e5 | 12

-- mysql: character set introducers
select _utf8'x' from t where a = ?
--> select _utf8 ? from t where a = ?1
--> literals x

-- sqlite: a quoted word after a comparison may be a string
select "a" from "t" where "name" = "Smith" and "t"."b" = "u"."c" and [x y] = @p and z = ?5 and q = $who
--> select "a" from "t" where "name" = ? and "t"."b" = "u"."c" and [x y] = @p and z = ?5 and q = $who
--> literals Smith

-- tsql: bracketed names, variables
select [a b] from [dbo].[t] where x = @p and y = N'z'
--> select [a b] from [dbo].[t] where x = @p and y = ?
--> literals z

-- bigquery: triple quotes and raw strings
select '''it's''', r'a\', "x" from `a-b.c`
--> select ?, ?, ? from `a-b.c`
--> literals it's | a\ | x

-- oracle: alternative quotes
select q'[it's]', q'!a'b!' from dual where x = :1
--> select ?, ? from dual where x = :1
--> literals it's | a'b

-- postgres: a comment nested too deeply takes all that follows
select 1 /* /* /* /* /* x */ */ */ */ */ + 2
--> select ? ? ...
--> literals 1 | /* /* /* /* /* x */ */ */ */ */ + 2

-- mysql: a backslash at the very end
select 'abc\
--> select ? ...
--> literals 'abc\

-- postgres: a title made up by the statement may say anything
select a as "Orders of Jane Doe", b as "x" from t order by "Orders of Jane Doe"
--> select a as "~1", b as "x" from t order by "~1"

-- postgres: a field's own name stays, also as a title
select c."zip code" as "zip code", "zip code" from t c
--> select c."zip code" as "zip code", "zip code" from t c

-- mysql: in other quotes
select 1 AS `a b`, 2 as `c d` having `c d` > 1
--> select ? as `~1`, ? as `~2` having `~2` > ?
--> literals 1 | 2 | 1

-- postgres: a title without AS
select last_name "for Jane Doe please" from person "the people" where "the people".last_name = 'x'
--> select last_name "~1" from person "~2" where "~2".last_name = ?
--> literals x

-- postgres: the dataset of a copy is no title, whatever it is called
COPY "Crm Data"."Kunden" ("Vor name") TO stdout; copy binary "my table" from stdin
--> copy "Crm Data"."Kunden" ("Vor name") to stdout ; copy binary "my table" from stdin

-- postgres: nor is what any other verb begins with
CLUSTER "my table"
--> cluster "my table"
