-- History of publications; a date that was restated has several, the current one with the highest sequence.
-- Grain: one row per publication.
-- Of: ops.publish_ledger
-- is_current: Whether this is what the date shows now
SELECT
    publication_id,
    sequence,
    portfolio,
    business_date,
    sequence = MAX(sequence) OVER (PARTITION BY portfolio, business_date) AS is_current,
    content_hash,
    known_until,
    released_contacts,
    run_ref,
    published_at
FROM ops.publish_ledger
