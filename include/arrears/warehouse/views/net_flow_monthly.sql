-- Net flow rate: a bucket's principal at a month-end close over the better bucket's a month earlier, without following
-- loans; it may exceed 1. Charged-off loans are in neither.
-- Grain: one row per portfolio, month, bucket, product and currency.
-- Of: mart.fct_portfolio_daily
-- month_on: First day of the month
-- from_bucket: Bucket at the close before the month
-- to_bucket: Next worse bucket, at the month's close
-- opening_minor: Outstanding principal in from_bucket at the close before the month
-- closing_minor: Outstanding principal in to_bucket at the month's close
-- net_flow_ratio: closing_minor over opening_minor, rounded half up to 4 places; NULL when nothing was there
WITH month_end AS (
    SELECT
        portfolio,
        business_date,
        contract_bucket,
        bucket_rank,
        product_code,
        currency,
        SUM(outstanding_principal_minor)::bigint AS principal_minor
    FROM mart.fct_portfolio_daily
    WHERE EXTRACT(DAY FROM business_date) = 1 AND status_code = 'active'
    GROUP BY portfolio, business_date, contract_bucket, bucket_rank, product_code, currency
)
SELECT
    earlier.portfolio,
    earlier.business_date AS month_on,
    earlier.contract_bucket AS from_bucket,
    later.contract_bucket AS to_bucket,
    earlier.bucket_rank,
    earlier.product_code,
    earlier.currency,
    earlier.principal_minor AS opening_minor,
    later.principal_minor AS closing_minor,
    ROUND(later.principal_minor::numeric / NULLIF(earlier.principal_minor, 0), 4) AS net_flow_ratio
FROM month_end AS earlier
INNER JOIN month_end AS later
    ON
        earlier.portfolio = later.portfolio
        AND earlier.product_code = later.product_code
        AND earlier.currency = later.currency
        AND earlier.bucket_rank + 1 = later.bucket_rank
        AND (earlier.business_date + interval '1 month')::date = later.business_date
