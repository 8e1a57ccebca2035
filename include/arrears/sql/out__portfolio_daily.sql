-- Grain: contract bucket x product x currency x status over open loans; sums to the portfolio.
-- Rules: ARR-MET-01. Inputs: core__loan_delinquency_daily, bucket(code, from_days, to_days).
WITH ranked AS (
    SELECT code, ROW_NUMBER() OVER (ORDER BY from_days) - 1 AS bucket_rank
    FROM bucket
)
SELECT
    ANY_VALUE(l.closing_date)::DATE AS closing_date,
    l.contract_bucket::VARCHAR AS contract_bucket,
    ANY_VALUE(r.bucket_rank)::INTEGER AS bucket_rank,
    l.product_code::VARCHAR AS product_code,
    l.currency::VARCHAR AS currency,
    l.status_code::VARCHAR AS status_code,
    COUNT(*)::BIGINT AS loans,
    SUM(l.outstanding_principal_minor)::BIGINT AS outstanding_principal_minor,
    SUM(l.past_due_minor)::BIGINT AS past_due_minor
FROM core__loan_delinquency_daily AS l
INNER JOIN ranked AS r ON l.contract_bucket = r.code
WHERE l.is_open
GROUP BY l.contract_bucket, l.product_code, l.currency, l.status_code
