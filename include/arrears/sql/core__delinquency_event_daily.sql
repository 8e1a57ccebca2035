-- Grain: loan_id x event_code: what changed on a loan since the day compared with, each once.
-- Rules: ARR-TRN-01 to ARR-TRN-06, ARR-TRN-08, ARR-TRN-09. Set-based twin of rules/transitions.py.
-- Inputs: core__loan_delinquency_daily, previous__loan_delinquency, previous__missing_loan, raw__loan, previous__loan
-- (the previous ones are empty on the first day), bucket(code, from_days, to_days), correction (correction__loan.sql).
-- Parameter: $compared_with (NULL on the first day).
-- Both days are put into today's buckets, so that a changed bucket set rolls nobody. A loan that is gone is no event;
-- one that comes back is compared with how it was last seen.
WITH earlier AS (
    SELECT loan_id, status_code, past_due_days, past_due_minor, contract_bucket
    FROM previous__loan_delinquency
    UNION ALL
    SELECT loan_id, status_code, past_due_days, past_due_minor, contract_bucket
    FROM previous__missing_loan
), rescheduled AS (
    SELECT n.loan_id
    FROM raw__loan AS n
    INNER JOIN previous__loan AS p ON n.loan_id = p.loan_id
    WHERE n.restructured_on IS NOT NULL AND n.restructured_on IS DISTINCT FROM p.restructured_on
), pair AS (
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
        p.past_due_days AS from_past_due_days,
        p.past_due_minor AS past_due_minor_then,
        p.contract_bucket AS contract_bucket_then,
        r.loan_id IS NOT NULL AS is_rescheduled,
        c.corrected_from,
        c.past_due_days AS true_past_due_days,
        c.past_due_minor AS true_past_due_minor,
        c.contract_bucket AS true_bucket
    FROM core__loan_delinquency_daily AS n
    LEFT JOIN earlier AS p ON n.loan_id = p.loan_id
    LEFT JOIN rescheduled AS r ON n.loan_id = r.loan_id
    LEFT JOIN correction AS c ON n.loan_id = c.loan_id
    WHERE n.past_due_days > 0 OR p.past_due_days > 0 OR n.status_code = 'charged_off' OR c.loan_id IS NOT NULL
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
            WHEN is_open AND is_rescheduled AND past_due_days < past_due_days_then THEN 're_aged'
            WHEN past_due_days > 0 AND bucket_days > bucket_days_then THEN 'rolled_forward'
            WHEN past_due_days > 0 AND bucket_days < bucket_days_then THEN 'rolled_back'
            WHEN past_due_days > 0 OR past_due_days_then = 0 THEN NULL
            WHEN is_open THEN 'cured'
            ELSE status_code
        END AS event_code
    FROM movement
    UNION ALL
    SELECT
        *,
        'charged_off' AS event_code
    FROM movement
    WHERE status_code = 'charged_off' AND was_there AND status_then <> 'charged_off'
    UNION ALL
    SELECT
        *,
        'corrected' AS event_code
    FROM movement
    WHERE corrected_from IS NOT NULL
)
SELECT
    loan_id::VARCHAR AS loan_id,
    borrower_id::VARCHAR AS borrower_id,
    product_code::VARCHAR AS product_code,
    currency::VARCHAR AS currency,
    event_code::VARCHAR AS event_code,
    $compared_with::DATE AS compared_with,
    contract_bucket_then::VARCHAR AS from_bucket,
    CASE event_code WHEN 'corrected' THEN true_bucket ELSE contract_bucket END::VARCHAR AS to_bucket,
    CASE
        WHEN past_due_days = 0 AND event_code <> 'charged_off' THEN COALESCE(past_due_minor_then, 0)
        ELSE past_due_minor
    END::BIGINT AS past_due_minor,
    from_past_due_days::INTEGER AS from_past_due_days,
    CASE event_code WHEN 'corrected' THEN true_past_due_days ELSE past_due_days END::INTEGER AS to_past_due_days,
    past_due_minor_then::BIGINT AS from_past_due_minor,
    CASE event_code WHEN 'corrected' THEN true_past_due_minor ELSE past_due_minor END::BIGINT AS to_past_due_minor,
    CASE event_code WHEN 'corrected' THEN corrected_from END::DATE AS corrected_from
FROM event
WHERE event_code IS NOT NULL
