-- Publications of a business date, the newest first: it alone is what the date shows now.
-- Grain: one row per publication.
SELECT
    publication_id,
    sequence,
    run_ref,
    is_current,
    content_hash,
    known_until,
    released_contacts,
    published_at
FROM bi.publication
WHERE portfolio = $portfolio AND business_date = $business_date
ORDER BY sequence DESC
