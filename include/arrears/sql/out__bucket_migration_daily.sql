-- Grain: from-bucket x to-state x currency over loans open on the previous published day or on this one.
-- Every loan open then is in exactly one row of its from-bucket, so each from-bucket sums to 100 %.
-- Rules: ARR-MET-05. Inputs: core__loan_delinquency_daily, previous__loan_delinquency (empty on the first day).
WITH open_then AS (
    SELECT loan_id, business_date, contract_bucket, status_code, currency, outstanding_principal_minor
    FROM previous__loan_delinquency
    WHERE is_open
), movement AS (
    SELECT
        COALESCE(p.contract_bucket, 'new') AS from_bucket,
        CASE
            WHEN c.loan_id IS NULL THEN 'missing'
            WHEN NOT c.is_open THEN c.status_code
            WHEN c.status_code = 'charged_off' AND p.status_code = 'active' THEN 'charged_off'
            ELSE c.contract_bucket
        END AS to_bucket,
        COALESCE(p.currency, c.currency) AS currency,
        COALESCE(p.outstanding_principal_minor, c.outstanding_principal_minor) AS outstanding_principal_minor
    FROM open_then AS p
    FULL OUTER JOIN core__loan_delinquency_daily AS c ON p.loan_id = c.loan_id
    WHERE p.loan_id IS NOT NULL OR c.is_open
)
SELECT
    $compared_with::DATE AS compared_with,
    from_bucket::VARCHAR AS from_bucket,
    to_bucket::VARCHAR AS to_bucket,
    currency::VARCHAR AS currency,
    COUNT(*)::BIGINT AS loans,
    SUM(outstanding_principal_minor)::BIGINT AS outstanding_principal_minor
FROM movement
WHERE $compared_with::DATE IS NOT NULL
GROUP BY from_bucket, to_bucket, currency
