-- Declared foreign keys, field by field; where a field stands in several, the narrowest key comes first.
-- Inputs: none. Output: relation oid, field, oid of the relation referred to, field there.
-- Cost: catalogue only.
SELECT k.conrelid::int8, here.attname::text, k.confrelid::int8, there.attname::text
FROM pg_catalog.pg_constraint AS k
CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS pair (here, there)
JOIN pg_catalog.pg_attribute AS here ON here.attrelid = k.conrelid AND here.attnum = pair.here
JOIN pg_catalog.pg_attribute AS there ON there.attrelid = k.confrelid AND there.attnum = pair.there
WHERE k.contype = 'f'
ORDER BY k.conrelid, cardinality(k.conkey), k.conname
