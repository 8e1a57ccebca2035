-- Grain: contract bucket x product x currency x status over open loans; sums to the portfolio.
-- Rules: ARR-MET-01. Inputs: core__loan_delinquency_daily.
SELECT
    ANY_VALUE(closing_date)::DATE AS closing_date,
    contract_bucket::VARCHAR AS contract_bucket,
    product_code::VARCHAR AS product_code,
    currency::VARCHAR AS currency,
    status_code::VARCHAR AS status_code,
    COUNT(*)::BIGINT AS loans,
    SUM(outstanding_principal_minor)::BIGINT AS outstanding_principal_minor,
    SUM(past_due_minor)::BIGINT AS past_due_minor
FROM core__loan_delinquency_daily
WHERE is_open
GROUP BY contract_bucket, product_code, currency, status_code
