-- Where the loans of each bucket went since the day compared with; the shares of a from-bucket make 100 %.
-- Grain: one row per from-bucket, to-state and currency.
SELECT
    from_bucket,
    to_bucket,
    currency,
    compared_with,
    loans,
    loans_share,
    outstanding_principal_minor,
    principal_share
FROM bi.bucket_migration_daily
WHERE portfolio = $portfolio AND business_date = $business_date
ORDER BY
    currency,
    SUBSTRING(from_bucket FROM '[0-9]+')::integer NULLS FIRST,
    from_bucket,
    SUBSTRING(to_bucket FROM '[0-9]+')::integer NULLS FIRST,
    to_bucket
