-- Grain: span x from-bucket x to-state x product x currency over loans open on the earlier day or on this one.
-- Every loan open then is in exactly one row of its from-bucket, so each from-bucket sums to 100 %. The span `month` is
-- made on month-end closes only: daily matrices do not multiply to a monthly one. A cancelled loan has left: nobody
-- paid it off.
-- Rules: ARR-MET-05. Inputs: core__loan_delinquency_daily, bucket(code, from_days, to_days), previous__loan_delinquency
-- and month__loan_delinquency (each empty where there is none). Parameters: $compared_with, $month_before.
WITH ranked AS (
    SELECT code, ROW_NUMBER() OVER (ORDER BY from_days) - 1 AS bucket_rank
    FROM bucket
), span AS (
    SELECT 'day' AS span_code, $compared_with::DATE AS compared_with
    WHERE $compared_with::DATE IS NOT NULL
    UNION ALL
    SELECT 'month' AS span_code, $month_before::DATE AS compared_with
    WHERE $month_before::DATE IS NOT NULL
), open_then AS (
    SELECT
        'day' AS span_code,
        loan_id,
        contract_bucket,
        status_code,
        product_code,
        currency,
        outstanding_principal_minor
    FROM previous__loan_delinquency
    WHERE is_open
    UNION ALL
    SELECT
        'month' AS span_code,
        loan_id,
        contract_bucket,
        status_code,
        product_code,
        currency,
        outstanding_principal_minor
    FROM month__loan_delinquency
    WHERE is_open
), later AS (
    SELECT
        s.span_code,
        l.loan_id,
        l.contract_bucket,
        l.status_code,
        l.product_code,
        l.currency,
        l.is_open,
        l.outstanding_principal_minor
    FROM core__loan_delinquency_daily AS l CROSS JOIN span AS s
), movement AS (
    SELECT
        COALESCE(p.span_code, c.span_code) AS span_code,
        COALESCE(p.contract_bucket, 'new') AS from_bucket,
        CASE
            WHEN c.loan_id IS NULL THEN 'missing'
            WHEN NOT c.is_open THEN c.status_code
            WHEN c.status_code = 'charged_off' AND p.status_code = 'active' THEN 'charged_off'
            ELSE c.contract_bucket
        END AS to_bucket,
        COALESCE(p.product_code, c.product_code) AS product_code,
        COALESCE(p.currency, c.currency) AS currency,
        COALESCE(p.outstanding_principal_minor, c.outstanding_principal_minor) AS outstanding_principal_minor
    FROM open_then AS p
    FULL OUTER JOIN later AS c ON p.loan_id = c.loan_id AND p.span_code = c.span_code
    WHERE p.loan_id IS NOT NULL OR c.is_open
), summed AS (
    SELECT
        span_code,
        from_bucket,
        to_bucket,
        product_code,
        currency,
        COUNT(*) AS loans,
        SUM(outstanding_principal_minor) AS outstanding_principal_minor
    FROM movement
    GROUP BY span_code, from_bucket, to_bucket, product_code, currency
)
SELECT
    m.span_code::VARCHAR AS span_code,
    s.compared_with::DATE AS compared_with,
    m.from_bucket::VARCHAR AS from_bucket,
    m.to_bucket::VARCHAR AS to_bucket,
    f.bucket_rank::INTEGER AS from_rank,
    t.bucket_rank::INTEGER AS to_rank,
    CASE
        WHEN m.from_bucket = 'new' THEN 'new'
        WHEN m.to_bucket = 'charged_off' THEN 'charged_off'
        WHEN m.to_bucket IN ('paid_off', 'settled') THEN 'paid_off'
        WHEN t.bucket_rank IS NULL THEN 'left'
        WHEN t.bucket_rank > f.bucket_rank THEN 'forward'
        WHEN t.bucket_rank = f.bucket_rank THEN 'stay'
        WHEN t.bucket_rank = 0 THEN 'cure'
        ELSE 'back'
    END::VARCHAR AS direction_code,
    m.product_code::VARCHAR AS product_code,
    m.currency::VARCHAR AS currency,
    m.loans::BIGINT AS loans,
    m.outstanding_principal_minor::BIGINT AS outstanding_principal_minor
FROM summed AS m
INNER JOIN span AS s ON m.span_code = s.span_code
LEFT JOIN ranked AS f ON m.from_bucket = f.code
LEFT JOIN ranked AS t ON m.to_bucket = t.code
