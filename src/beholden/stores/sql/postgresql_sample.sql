-- About :rows rows from pages drawn evenly over a table, the same for the same seed while the table is unchanged.
-- Inputs (names put in by the connector, quoted): {columns}, {table}; bound: percent of pages, seed, seed, rows.
-- Cost: the drawn pages. The inner query carries whole rows without reading their long values; the outer one reads
-- those of the rows that are kept.
SELECT {columns}
FROM (
    SELECT *
    FROM {table} AS t TABLESAMPLE SYSTEM (%s::float4) REPEATABLE (%s::float8)
    ORDER BY md5(t.tableoid::text || t.ctid::text || %s::text)
    LIMIT %s
) AS drawn
