-- Net flow rate: a bucket's principal at a month-end close over the better bucket's a month earlier, without following
-- loans; it may exceed 1. Charged-off loans are in neither. What nothing is left of is told too, with closing 0.
-- Grain: one row per portfolio, month, bucket that has a worse one, product and currency.
-- Of: mart.fct_portfolio_daily
-- month_on: First day of the month
-- from_bucket: Bucket at the close before the month
-- to_bucket: Next worse bucket, at the month's close
-- opening_minor: Outstanding principal in from_bucket at the close before the month
-- closing_minor: Outstanding principal in to_bucket at the month's close; 0: nothing is in it
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
), closed AS (
    SELECT DISTINCT portfolio, business_date
    FROM mart.fct_portfolio_daily
    WHERE EXTRACT(DAY FROM business_date) = 1
), bucket AS (
    -- A bucket without a loan is in no row of the portfolio; the day's configuration knows it.
    SELECT portfolio, business_date, contract_bucket, bucket_rank
    FROM mart.fct_portfolio_daily
    WHERE EXTRACT(DAY FROM business_date) = 1
    UNION
    SELECT portfolio, business_date, member_code AS contract_bucket, member_rank AS bucket_rank
    FROM mart.dim_member_daily
    WHERE EXTRACT(DAY FROM business_date) = 1 AND dimension_code = 'bucket'
)
SELECT
    earlier.portfolio,
    earlier.business_date AS month_on,
    earlier.contract_bucket AS from_bucket,
    COALESCE(later.contract_bucket, worse.contract_bucket) AS to_bucket,
    earlier.bucket_rank,
    earlier.product_code,
    earlier.currency,
    earlier.principal_minor AS opening_minor,
    COALESCE(later.principal_minor, 0) AS closing_minor,
    ROUND(COALESCE(later.principal_minor, 0)::numeric / NULLIF(earlier.principal_minor, 0), 4) AS net_flow_ratio
FROM month_end AS earlier
INNER JOIN closed
    ON
        earlier.portfolio = closed.portfolio
        AND (earlier.business_date + interval '1 month')::date = closed.business_date
LEFT JOIN month_end AS later
    ON
        earlier.portfolio = later.portfolio
        AND earlier.product_code = later.product_code
        AND earlier.currency = later.currency
        AND earlier.bucket_rank + 1 = later.bucket_rank
        AND closed.business_date = later.business_date
LEFT JOIN bucket AS worse
    ON
        earlier.portfolio = worse.portfolio
        AND earlier.business_date = worse.business_date
        AND earlier.bucket_rank + 1 = worse.bucket_rank
WHERE COALESCE(later.contract_bucket, worse.contract_bucket) IS NOT NULL
