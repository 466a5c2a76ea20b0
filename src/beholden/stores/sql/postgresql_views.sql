-- What views and materialized views are made of.
-- Inputs: none; to be asked with an empty search_path, so that every name comes with its schema.
-- Output: oid of the view, its query. Rights: none beyond the catalogue.
-- Cost: catalogue, and a short ACCESS SHARE lock on each view and on what it reads.
SELECT v.oid::int8, v.query
FROM (
    SELECT c.oid, pg_get_viewdef(c.oid) AS query
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm')
      AND c.relpersistence <> 't'
      AND n.nspname !~ '^pg_'
      AND n.nspname <> 'information_schema'
) AS v
WHERE v.query IS NOT NULL
