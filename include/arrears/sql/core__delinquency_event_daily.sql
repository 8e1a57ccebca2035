-- Grain: loan_id x event_code: what changed on a loan since the day compared with, each once.
-- Rules: ARR-TRN-01 to ARR-TRN-06. Inputs: core__loan_delinquency_daily, previous__loan_delinquency (empty on the
-- first day), bucket(code, from_days, to_days). Parameter: $compared_with (NULL on the first day).
-- Both days are put into today's buckets, so that a changed bucket set rolls nobody. A loan that is gone is no event.
WITH pair AS (
    SELECT
        n.loan_id,
        n.borrower_id,
        n.product_code,
        n.currency,
        n.status_code,
        n.is_open,
        n.past_due_days,
        n.past_due_minor,
        n.contract_bucket,
        p.loan_id IS NOT NULL AS was_there,
        p.status_code AS status_then,
        COALESCE(p.past_due_days, 0) AS past_due_days_then,
        p.past_due_minor AS past_due_minor_then,
        p.contract_bucket AS contract_bucket_then
    FROM core__loan_delinquency_daily AS n
    LEFT JOIN previous__loan_delinquency AS p ON n.loan_id = p.loan_id
    WHERE n.past_due_days > 0 OR p.past_due_days > 0 OR n.status_code = 'charged_off'
), movement AS (
    SELECT
        m.*,
        b.from_days AS bucket_days,
        t.from_days AS bucket_days_then
    FROM pair AS m
    INNER JOIN bucket AS b ON m.past_due_days BETWEEN b.from_days AND b.to_days
    INNER JOIN bucket AS t ON m.past_due_days_then BETWEEN t.from_days AND t.to_days
), event AS (
    SELECT
        *,
        CASE
            WHEN past_due_days > 0 AND $compared_with::DATE IS NULL THEN 'initial_load'
            WHEN past_due_days > 0 AND past_due_days_then = 0 THEN 'newly_overdue'
            WHEN past_due_days > 0 AND bucket_days > bucket_days_then THEN 'rolled_forward'
            WHEN past_due_days > 0 AND bucket_days < bucket_days_then THEN 'rolled_back'
            WHEN past_due_days > 0 OR past_due_days_then = 0 THEN NULL
            WHEN is_open THEN 'cured'
            WHEN status_code = 'paid_off' THEN 'paid_off'
            ELSE 'closed'
        END AS event_code
    FROM movement
    UNION ALL
    SELECT
        *,
        'charged_off' AS event_code
    FROM movement
    WHERE status_code = 'charged_off' AND was_there AND status_then <> 'charged_off'
)
SELECT
    loan_id::VARCHAR AS loan_id,
    borrower_id::VARCHAR AS borrower_id,
    product_code::VARCHAR AS product_code,
    currency::VARCHAR AS currency,
    event_code::VARCHAR AS event_code,
    $compared_with::DATE AS compared_with,
    contract_bucket_then::VARCHAR AS from_bucket,
    contract_bucket::VARCHAR AS to_bucket,
    CASE
        WHEN event_code IN ('cured', 'paid_off', 'closed') THEN past_due_minor_then ELSE past_due_minor
    END::BIGINT AS past_due_minor
FROM event
WHERE event_code IS NOT NULL
