-- Roll matrix between two published days; the shares of a from-bucket sum to 1 but for rounding.
-- Grain: one row per portfolio, business date, from-bucket, to-state and currency.
-- Of: mart.fct_bucket_migration_daily
-- loans_share: loans over all loans of the from-bucket, rounded half up to 4 places
-- principal_share: principal over that of the from-bucket, rounded half up to 4 places; NULL when it has none
WITH matrix AS (
    SELECT
        portfolio,
        business_date,
        compared_with,
        from_bucket,
        to_bucket,
        currency,
        from_rank,
        to_rank,
        direction_code,
        SUM(loans)::bigint AS loans,
        SUM(outstanding_principal_minor)::bigint AS outstanding_principal_minor
    FROM mart.fct_bucket_migration_daily
    WHERE span_code = 'day'
    GROUP BY
        portfolio, business_date, compared_with, from_bucket, to_bucket, currency, from_rank, to_rank, direction_code
)
SELECT
    portfolio,
    business_date,
    compared_with,
    from_bucket,
    to_bucket,
    currency,
    loans,
    outstanding_principal_minor,
    ROUND(loans::numeric / NULLIF(SUM(loans) OVER from_bucket_total, 0), 4) AS loans_share,
    ROUND(
        outstanding_principal_minor::numeric / NULLIF(SUM(outstanding_principal_minor) OVER from_bucket_total, 0), 4
    ) AS principal_share,
    from_rank,
    to_rank,
    direction_code
FROM matrix
WINDOW from_bucket_total AS (PARTITION BY portfolio, business_date, from_bucket, currency)
