-- What is published of the day, and when.
-- Grain: one row per dataset.
SELECT
    dataset,
    status_code,
    published_at,
    rows,
    contract_version,
    content_hash
FROM bi.data_freshness
WHERE portfolio = $portfolio AND business_date = $business_date
ORDER BY dataset
