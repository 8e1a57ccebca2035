-- What a run published; nothing when it found the day published already, or failed.
-- Grain: one row per publication of the run.
SELECT
    publication_id,
    sequence,
    business_date,
    is_current,
    content_hash,
    known_until,
    released_contacts,
    published_at
FROM bi.publication
WHERE portfolio = $portfolio AND run_ref = $run_ref
ORDER BY sequence
