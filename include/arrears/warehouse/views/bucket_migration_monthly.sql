-- Roll matrix between two month-end closes, by product; the shares of a from-bucket sum to 1 but for rounding.
-- Grain: one row per portfolio, month-end close, from-bucket, to-state, product and currency.
-- Of: mart.fct_bucket_migration_daily
-- month_on: First day of the month that the matrix is of
-- loans_share: loans over all loans of the from-bucket and product, rounded half up to 4 places
-- principal_share: principal over that of the from-bucket and product, rounded half up to 4 places
SELECT
    portfolio,
    compared_with AS month_on,
    business_date,
    compared_with,
    from_bucket,
    to_bucket,
    from_rank,
    to_rank,
    direction_code,
    product_code,
    currency,
    loans,
    outstanding_principal_minor,
    ROUND(loans::numeric / NULLIF(SUM(loans) OVER from_bucket_total, 0), 4) AS loans_share,
    ROUND(
        outstanding_principal_minor::numeric / NULLIF(SUM(outstanding_principal_minor) OVER from_bucket_total, 0), 4
    ) AS principal_share
FROM mart.fct_bucket_migration_daily
WHERE span_code = 'month'
WINDOW from_bucket_total AS (PARTITION BY portfolio, business_date, from_bucket, product_code, currency)
