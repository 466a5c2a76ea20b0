-- The fields of the relations that postgresql_datasets.sql lists.
-- Inputs: none. Output: one row a field: relation oid, name, type as people write it, oid of its type (of the base
-- type for a domain), is it in the primary key, may we read it; in order of position.
-- Cost: catalogue only.
SELECT a.attrelid::int8,
       a.attname::text,
       format_type(a.atttypid, a.atttypmod)::text,
       CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END::int8,
       coalesce(a.attnum = ANY (key.indkey), false),
       has_column_privilege(a.attrelid, a.attnum, 'SELECT')
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_index AS key ON key.indrelid = a.attrelid AND key.indisprimary
WHERE a.attnum > 0
  AND NOT a.attisdropped
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
ORDER BY a.attrelid, a.attnum
