-- Who may do what with each relation and field, as the access control lists say; the owner also as OWNER.
-- Inputs: none. Output: relation oid, field ('' is the whole relation), grantee (PUBLIC for everyone), privilege.
-- Not in any list, so not here: superusers and members of pg_read_all_data, who may read everything.
-- Cost: catalogue only.
WITH relation AS (
    SELECT c.oid, c.relowner, coalesce(c.relacl, acldefault('r', c.relowner)) AS acl
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND c.relpersistence <> 't'
      AND n.nspname !~ '^pg_'
      AND n.nspname <> 'information_schema'
), said AS (
    SELECT r.oid, '' AS field, one.grantee, one.privilege_type
    FROM relation AS r CROSS JOIN LATERAL aclexplode(r.acl) AS one
    UNION
    SELECT r.oid, a.attname::text, one.grantee, one.privilege_type
    FROM relation AS r
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    CROSS JOIN LATERAL aclexplode(a.attacl) AS one
    UNION
    SELECT r.oid, '', r.relowner, 'OWNER' FROM relation AS r
)
SELECT said.oid::int8,
       said.field,
       (CASE WHEN said.grantee = 0 THEN 'PUBLIC' ELSE coalesce(role.rolname::text, 'role ' || said.grantee) END)::text,
       said.privilege_type::text
FROM said
LEFT JOIN pg_catalog.pg_roles AS role ON role.oid = said.grantee
ORDER BY 1, 2, 3, 4
