-- Where the principal of each bucket went over the last whole month: all products; a from-bucket's shares make 100 %.
-- Grain: one row per from-bucket, to-state and currency of the newest month that is closed on the day shown.
WITH closed AS (
    SELECT MAX(business_date) AS business_date
    FROM bi.bucket_migration_monthly
    WHERE portfolio = $portfolio AND business_date <= $business_date
), moved AS (
    SELECT
        matrix.compared_with,
        matrix.from_bucket,
        matrix.to_bucket,
        matrix.from_rank,
        matrix.to_rank,
        matrix.currency,
        SUM(matrix.loans) AS loans,
        SUM(matrix.outstanding_principal_minor) AS outstanding_principal_minor
    FROM bi.bucket_migration_monthly AS matrix
    INNER JOIN closed ON matrix.business_date = closed.business_date
    WHERE matrix.portfolio = $portfolio AND matrix.direction_code <> 'new'
    GROUP BY
        matrix.compared_with, matrix.from_bucket, matrix.to_bucket, matrix.from_rank, matrix.to_rank, matrix.currency
)
SELECT
    compared_with,
    from_bucket,
    to_bucket,
    currency,
    loans,
    outstanding_principal_minor,
    ROUND(loans / NULLIF(SUM(loans) OVER from_bucket_total, 0), 4) AS loans_share,
    ROUND(
        outstanding_principal_minor / NULLIF(SUM(outstanding_principal_minor) OVER from_bucket_total, 0), 4
    ) AS principal_share
FROM moved
WINDOW from_bucket_total AS (PARTITION BY from_bucket, currency)
ORDER BY currency, from_rank, from_bucket, to_rank NULLS LAST, to_bucket
