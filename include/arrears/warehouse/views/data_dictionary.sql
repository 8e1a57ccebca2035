-- Every column of every view here: its type, its meaning, and how it relates to a person.
-- Grain: one row per view and column.
-- view_name: View of this schema
-- view_meaning: What the view says, and its grain
-- column_name: Column of the view
-- ordinal: Order of the column, from 1
-- type_name: PostgreSQL type
-- meaning: What the column says, with its unit
-- pii_class: none, or pseudonym: an identifier of the source that names nobody by itself
-- meaning_zh: The same in Chinese
-- interface_version: Raised when any view or column here goes, or has another type
SELECT
    relation.relname::text AS view_name,
    OBJ_DESCRIPTION(relation.oid, 'pg_class') AS view_meaning,
    field.attname::text AS column_name,
    field.attnum::integer AS ordinal,
    FORMAT_TYPE(field.atttypid, field.atttypmod) AS type_name,
    REPLACE(SPLIT_PART(COL_DESCRIPTION(relation.oid, field.attnum), E'\n', 1), ' [pseudonym]', '') AS meaning,
    CASE
        WHEN COL_DESCRIPTION(relation.oid, field.attnum) LIKE '% [pseudonym]%' THEN 'pseudonym'
        ELSE 'none'
    END AS pii_class,
    NULLIF(SPLIT_PART(COL_DESCRIPTION(relation.oid, field.attnum), E'\n', 2), '') AS meaning_zh,
    SUBSTRING(OBJ_DESCRIPTION(namespace.oid, 'pg_namespace') FROM 'Interface version ([0-9]+)')::integer
        AS interface_version
FROM pg_catalog.pg_class AS relation
INNER JOIN pg_catalog.pg_namespace AS namespace ON relation.relnamespace = namespace.oid
INNER JOIN pg_catalog.pg_attribute AS field ON relation.oid = field.attrelid
WHERE
    namespace.nspname = 'bi'
    AND relation.relkind = 'v'
    AND field.attnum > 0
    AND NOT field.attisdropped
