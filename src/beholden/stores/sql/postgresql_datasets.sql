-- Every relation a person may have stored data in, in the current database.
-- Inputs: none. Output: one row a relation: oid, schema, name, kind, rows estimate (-1 unknown), bytes by the
-- server's own statistics, oid of the partitioned or inherited table above it, may we use the schema, may we read
-- the whole relation, may we read some of its fields.
-- Cost: catalogue only; takes no lock on the relations themselves.
SELECT c.oid::int8,
       n.nspname::text,
       c.relname::text,
       c.relkind::text,
       c.reltuples::float8,
       (c.relpages + coalesce(toast.relpages, 0))::int8 * current_setting('block_size')::int8,
       above.inhparent::int8,
       has_schema_privilege(n.oid, 'USAGE'),
       has_table_privilege(c.oid, 'SELECT'),
       has_any_column_privilege(c.oid, 'SELECT')
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_class AS toast ON toast.oid = c.reltoastrelid
LEFT JOIN pg_catalog.pg_inherits AS above ON above.inhrelid = c.oid AND above.inhseqno = 1
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
ORDER BY n.nspname, c.relname
