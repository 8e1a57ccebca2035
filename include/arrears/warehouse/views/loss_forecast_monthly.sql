-- Loss forecast by the month's roll rates: each bucket's principal at the close times the share of it that will roll
-- through every worse bucket to the last one, which counts as lost. A roll rate that nothing was there for makes the
-- forecast of its bucket and the better ones not available.
-- Grain: one row per portfolio, month-end close, bucket, product and currency.
-- Of: mart.fct_portfolio_daily
-- principal_minor: Outstanding principal of active loans in the bucket at the close
-- roll_to_loss_ratio: Product of the month's roll rates from this bucket to the last, rounded half up to 6 places
-- forecast_minor: principal_minor times that product, rounded to the minor unit; NULL: not available
WITH RECURSIVE flow AS (
    SELECT
        portfolio,
        business_date,
        from_rank,
        product_code,
        currency,
        COALESCE(SUM(outstanding_principal_minor) FILTER (WHERE direction_code = 'forward'), 0)::numeric
        / NULLIF(SUM(outstanding_principal_minor), 0) AS flow_ratio
    FROM mart.fct_bucket_migration_daily
    WHERE span_code = 'month' AND direction_code <> 'new'
    GROUP BY portfolio, business_date, from_rank, product_code, currency
), standing AS (
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
), worst AS (
    SELECT
        portfolio,
        MAX(bucket_rank) AS bucket_rank
    FROM mart.fct_portfolio_daily
    GROUP BY portfolio
), roll AS (
    SELECT DISTINCT
        flow.portfolio,
        flow.business_date,
        flow.product_code,
        flow.currency,
        worst.bucket_rank,
        1::numeric / 1 AS roll_to_loss  -- no type narrower than a quotient, in any engine
    FROM flow
    INNER JOIN worst ON flow.portfolio = worst.portfolio
    UNION ALL
    SELECT
        flow.portfolio,
        flow.business_date,
        flow.product_code,
        flow.currency,
        flow.from_rank AS bucket_rank,
        flow.flow_ratio * roll.roll_to_loss AS roll_to_loss
    FROM roll
    INNER JOIN flow
        ON
            roll.portfolio = flow.portfolio
            AND roll.business_date = flow.business_date
            AND roll.product_code = flow.product_code
            AND roll.currency = flow.currency
            AND roll.bucket_rank = flow.from_rank + 1
)
SELECT
    standing.portfolio,
    standing.business_date,
    standing.contract_bucket,
    standing.bucket_rank,
    standing.product_code,
    standing.currency,
    standing.principal_minor,
    ROUND(roll.roll_to_loss, 6) AS roll_to_loss_ratio,
    ROUND(standing.principal_minor * roll.roll_to_loss, 0)::bigint AS forecast_minor
FROM standing
LEFT JOIN roll
    ON
        standing.portfolio = roll.portfolio
        AND standing.business_date = roll.business_date
        AND standing.product_code = roll.product_code
        AND standing.currency = roll.currency
        AND standing.bucket_rank = roll.bucket_rank
