-- What a publication changed against the one before it of the same date, fact by fact.
-- Grain: one row per publication but a date's first, and fact.
-- Of: ops.publish_ledger
-- fact: Fact table
-- is_changed: Whether the fact's content hash moved
-- rows_before: Rows as published before
-- rows_after: Rows as published now
-- replaced_publication_id: The publication before
WITH named AS (
    SELECT
        publication_id,
        LAG(publication_id) OVER of_date AS replaced_publication_id,
        sequence,
        portfolio,
        business_date,
        published_at,
        control_totals,
        LAG(control_totals) OVER of_date AS totals_before
    FROM ops.publish_ledger
    WINDOW of_date AS (PARTITION BY portfolio, business_date ORDER BY sequence)
)
SELECT
    named.publication_id,
    named.replaced_publication_id,
    named.sequence,
    named.portfolio,
    named.business_date,
    named.published_at,
    total.fact,
    (total.figures IS DISTINCT FROM (named.totals_before -> total.fact)) AS is_changed,
    (named.totals_before -> total.fact ->> 'rows')::bigint AS rows_before,
    (total.figures ->> 'rows')::bigint AS rows_after
FROM named
CROSS JOIN LATERAL JSONB_EACH(named.control_totals) AS total (fact, figures)
WHERE named.replaced_publication_id IS NOT NULL
