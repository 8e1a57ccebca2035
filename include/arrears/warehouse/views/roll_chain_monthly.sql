-- 迁徙率 chain: the share of what was current that has come down the diagonal to a bucket, a month a bucket (催收乘数).
-- Read for bucket 3 in March: of January's current, what rolled in January times in February times in March.
-- Grain: one row per portfolio, month, bucket reached, product and currency.
-- Of: mart.fct_bucket_migration_daily
-- month_on: First day of the month in which the bucket was reached
-- bucket_rank: Order of the bucket reached, from 1
-- flow_ratio: Principal that rolled forward out of the bucket before, over all of it, in that month
-- chain_ratio: Product of the flow ratios down the diagonal, rounded half up to 6 places
WITH RECURSIVE flow AS (
    SELECT
        portfolio,
        compared_with AS month_on,
        from_rank,
        product_code,
        currency,
        COALESCE(SUM(outstanding_principal_minor) FILTER (WHERE direction_code = 'forward'), 0)::numeric
        / NULLIF(SUM(outstanding_principal_minor), 0) AS flow_ratio
    FROM mart.fct_bucket_migration_daily
    WHERE span_code = 'month' AND direction_code <> 'new'
    GROUP BY portfolio, compared_with, from_rank, product_code, currency
), chain AS (
    SELECT
        portfolio,
        month_on,
        from_rank + 1 AS bucket_rank,
        product_code,
        currency,
        flow_ratio,
        flow_ratio AS chain_ratio
    FROM flow
    WHERE from_rank = 0
    UNION ALL
    SELECT
        flow.portfolio,
        flow.month_on,
        flow.from_rank + 1 AS bucket_rank,
        flow.product_code,
        flow.currency,
        flow.flow_ratio,
        chain.chain_ratio * flow.flow_ratio AS chain_ratio
    FROM chain
    INNER JOIN flow
        ON
            chain.portfolio = flow.portfolio
            AND chain.product_code = flow.product_code
            AND chain.currency = flow.currency
            AND chain.bucket_rank = flow.from_rank
            AND (chain.month_on + interval '1 month')::date = flow.month_on
)
SELECT
    portfolio,
    month_on,
    bucket_rank,
    product_code,
    currency,
    ROUND(flow_ratio, 4) AS flow_ratio,
    ROUND(chain_ratio, 6) AS chain_ratio
FROM chain
