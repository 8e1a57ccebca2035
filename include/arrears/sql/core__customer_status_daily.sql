-- Grain: loan_id: open loans, missing ones too, of customers who are non-performing; none without contagion.
-- Rules: ARR-TRN-10. Set-based twin of rules/contagion.py. Inputs: core__loan_delinquency_daily,
-- core__missing_loan_daily, previous__customer_status (empty on the first day).
-- Parameters: $is_contagious, $non_performing_days.
WITH loan AS (
    SELECT loan_id, borrower_id, past_due_days
    FROM core__loan_delinquency_daily
    WHERE is_open AND $is_contagious
    UNION ALL
    SELECT loan_id, borrower_id, past_due_days
    FROM core__missing_loan_daily
    WHERE $is_contagious
), earlier AS (
    SELECT borrower_id, MIN(since_on) AS since_on
    FROM previous__customer_status
    GROUP BY borrower_id
), worst AS (
    SELECT borrower_id, MAX(past_due_days) AS past_due_days
    FROM loan
    WHERE past_due_days > 0
    GROUP BY borrower_id
), customer AS (
    SELECT
        w.borrower_id,
        w.past_due_days,
        COALESCE(e.since_on, $business_date) AS since_on
    FROM worst AS w
    LEFT JOIN earlier AS e ON w.borrower_id = e.borrower_id
    WHERE w.past_due_days > $non_performing_days OR e.borrower_id IS NOT NULL
)
SELECT
    l.loan_id::VARCHAR AS loan_id,
    l.borrower_id::VARCHAR AS borrower_id,
    'non_performing'::VARCHAR AS status_code,
    c.since_on::DATE AS since_on,
    l.past_due_days::INTEGER AS past_due_days,
    c.past_due_days::INTEGER AS customer_past_due_days
FROM loan AS l
INNER JOIN customer AS c ON l.borrower_id = c.borrower_id
