-- The reference generator's events (a Parquet file of many events, ordered by seq) as the ledger keeps events. Tokens are hashes
-- here, which have the entropy of random ones. A store follows from its dataset; only people have devices.
WITH chosen AS (
    SELECT *, 'sys-' || (CAST(substr(dataset_id, 4) AS INTEGER) % 20) AS place
    FROM read_parquet($files) WHERE seq < $events
)
SELECT
    CAST(ts AS TIMESTAMP WITH TIME ZONE) AS "time",
    place AS source,
    unhex(substr(md5('uid' || seq), 1, 20)) AS uid,
    CAST(6005 AS INTEGER) AS class_uid,
    CASE action WHEN 'list' THEN 'query' ELSE action END AS activity,
    unhex(md5('actor' || actor_id)) AS actor,
    CASE actor_type WHEN 'employee' THEN 'staff' WHEN 'partner_key' THEN 'partner' ELSE actor_type END AS actor_kind,
    NULL AS on_behalf_of,
    CASE WHEN actor_type = 'partner_key' THEN unhex(md5('key' || actor_id)) END AS credential,
    unhex(substr(md5(session_id), 1, 16)) AS session,
    CASE WHEN actor_type = 'employee' THEN unhex(md5('device' || actor_id)) END AS device,
    unhex('0a' || lpad(hex(src_ip), 6, '0')) AS ip,
    unhex(md5('app' || place)) AS app,
    place AS store,
    'public.' || dataset_id AS dataset,
    list_filter(
        [
            CASE WHEN fields_mask & 1 > 0 THEN 'customer_id' END, CASE WHEN fields_mask & 2 > 0 THEN 'name' END,
            CASE WHEN fields_mask & 4 > 0 THEN 'email' END, CASE WHEN fields_mask & 8 > 0 THEN 'phone' END,
            CASE WHEN fields_mask & 16 > 0 THEN 'address' END, CASE WHEN fields_mask & 32 > 0 THEN 'city' END,
            CASE WHEN fields_mask & 64 > 0 THEN 'card' END, CASE WHEN fields_mask & 128 > 0 THEN 'birth' END
        ],
        lambda field: field IS NOT NULL
    ) AS fields,
    CASE WHEN subject_id IS NOT NULL THEN [unhex(md5('subject' || subject_id))] END AS subjects,
    CASE
        WHEN subject_id IS NOT NULL THEN 'subjects' WHEN action = 'export' THEN 'table'
        WHEN action IN ('list', 'query') THEN 'predicate' ELSE 'none'
    END AS "scope",
    CASE WHEN subject_id IS NOT NULL THEN CAST(1 AS BIGINT) END AS subject_count,
    CAST(rows_returned AS BIGINT) AS "rows",
    CAST(rows_returned AS BIGINT) * 257 AS bytes,
    unhex(md5('purpose' || action)) AS purpose,
    CASE WHEN case_id IS NOT NULL THEN unhex(md5(case_id)) END AS assignment,
    CASE WHEN allowed THEN 'permit' ELSE 'deny' END AS decision,
    CASE WHEN allowed THEN 'success' ELSE 'failure' END AS status,
    CASE WHEN action = 'query' THEN unhex(md5('statement' || dataset_id || (fields_mask % 4))) END AS statement,
    NULL AS literals, NULL AS correlation, NULL AS detail
FROM chosen ORDER BY seq
