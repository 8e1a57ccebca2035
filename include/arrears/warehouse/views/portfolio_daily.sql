-- Distribution of all open loans over buckets; sums to the portfolio.
-- Grain: one row per portfolio, business date, contract bucket, product, currency and status.
-- Of: mart.fct_portfolio_daily
SELECT
    portfolio,
    business_date,
    closing_date,
    contract_bucket,
    product_code,
    currency,
    status_code,
    loans,
    outstanding_principal_minor,
    past_due_minor,
    bucket_rank
FROM mart.fct_portfolio_daily
