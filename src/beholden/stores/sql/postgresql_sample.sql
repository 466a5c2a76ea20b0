-- About :rows rows from pages drawn evenly over a table, the same for the same seed while the table is unchanged.
-- Inputs (put in by the connector, quoted): {columns}, {names}, {table}; bound: percent of pages, seed, seed, rows.
-- Rights: SELECT on the named fields alone. That is why rows are told apart by their place in the drawn pages, which
-- needs none, and not by ctid, which needs a right on the whole table.
-- Cost: the drawn pages. The inner query carries rows without reading their long values; the outer one reads those of
-- the rows that are kept.
SELECT {columns}
FROM (
    SELECT {names}
    FROM {table} TABLESAMPLE SYSTEM (%s::float4) REPEATABLE (%s::float8)
    ORDER BY md5((row_number() OVER ())::text || %s::text)
    LIMIT %s
) AS drawn
