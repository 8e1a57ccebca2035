-- What is published, since when, and which making of it.
-- Grain: one row per dataset, portfolio and business date.
-- Of: ops.data_freshness
-- is_latest: Whether this is the dataset's newest business date in the portfolio
SELECT
    dataset,
    portfolio,
    business_date,
    business_date = MAX(business_date) OVER (PARTITION BY dataset, portfolio) AS is_latest,
    status_code,
    published_at,
    rows,
    load_id,
    content_hash,
    contract_version
FROM ops.data_freshness
