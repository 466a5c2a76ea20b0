-- How many pages a table with all its partitions and children has now, and how many rows the server thinks it has.
-- Inputs (bound): oid of the table. Output: pages now, pages and rows at the last ANALYZE.
-- Cost: one look at the size of each file.
WITH RECURSIVE family AS (
    SELECT %s::oid AS oid
    UNION
    SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i JOIN family AS f ON f.oid = i.inhparent
)
SELECT coalesce(sum(pg_relation_size(c.oid)), 0)::int8 / current_setting('block_size')::int8,
       coalesce(sum(c.relpages), 0)::int8,
       coalesce(sum(greatest(c.reltuples, 0)), 0)::float8
FROM family AS f
JOIN pg_catalog.pg_class AS c ON c.oid = f.oid
WHERE c.relkind IN ('r', 'm')
