-- Grain: loan_id: every loan of the ledger, open or ended; ended loans and loans with nothing past due are zeros.
-- Rules: ARR-AGE-01, ARR-AGE-05, ARR-AGE-06, ARR-BKT-01. Set-based twin of rules/ageing.py (age_of_loan).
-- Inputs: raw__loan, core__instalment_delinquency_daily of the same day, bucket(code, from_days, to_days).
-- Parameters: $closing_date, $as_of, $grace_days, $tolerance_minor, $current_bucket (code of 0 days).
-- Loans in arrears and all others are two branches: the others are constants, which costs nothing at any size.
WITH unpaid AS (
    SELECT
        *,
        -- over dates, not numbers: instalments of one date pass the tolerance together
        SUM(past_due_minor) OVER (PARTITION BY loan_id ORDER BY overdue_on) > $tolerance_minor AS is_beyond_tolerance
    FROM core__instalment_delinquency_daily
), arrears AS (
    SELECT
        loan_id,
        MIN(CASE WHEN is_beyond_tolerance THEN overdue_on END) AS past_due_on,
        MAX(CASE WHEN is_beyond_tolerance THEN past_due_days END) AS past_due_days,
        MAX(CASE WHEN is_beyond_tolerance THEN past_due_days - delinquent_days END) AS paused_days,
        SUM(CASE WHEN is_beyond_tolerance THEN 1 ELSE 0 END) AS past_due_instalments,
        SUM(past_due_minor) AS past_due_minor,
        SUM(past_due_principal_minor) AS past_due_principal_minor,
        SUM(past_due_interest_minor) AS past_due_interest_minor,
        SUM(past_due_fee_minor) AS past_due_fee_minor,
        SUM(past_due_penalty_minor) AS past_due_penalty_minor
    FROM unpaid
    GROUP BY loan_id
), aged AS (
    SELECT
        l.loan_id,
        l.borrower_id,
        l.product_code,
        l.currency,
        l.status_code,
        l.outstanding_principal_minor,
        a.past_due_on,
        a.past_due_days,
        a.paused_days,
        a.past_due_instalments,
        a.past_due_minor,
        a.past_due_principal_minor,
        a.past_due_interest_minor,
        a.past_due_fee_minor,
        a.past_due_penalty_minor,
        GREATEST(0, a.past_due_days - a.paused_days - COALESCE(l.grace_days, $grace_days)) AS delinquent_days
    FROM raw__loan AS l
    INNER JOIN arrears AS a ON l.loan_id = a.loan_id
), counted AS (
    SELECT past_due_days AS age_days
    FROM aged
    UNION
    SELECT delinquent_days AS age_days
    FROM aged
), day_bucket AS (
    SELECT
        c.age_days,
        b.code
    FROM counted AS c
    INNER JOIN bucket AS b ON c.age_days BETWEEN b.from_days AND b.to_days
)
SELECT
    $closing_date::DATE AS closing_date,
    $as_of::DATE AS as_of,
    a.loan_id::VARCHAR AS loan_id,
    a.borrower_id::VARCHAR AS borrower_id,
    a.product_code::VARCHAR AS product_code,
    a.currency::VARCHAR AS currency,
    a.status_code::VARCHAR AS status_code,
    TRUE AS is_open,
    a.past_due_on::DATE AS past_due_on,
    a.past_due_days::INTEGER AS past_due_days,
    a.paused_days::INTEGER AS paused_days,
    a.delinquent_days::INTEGER AS delinquent_days,
    a.past_due_instalments::INTEGER AS past_due_instalments,
    a.past_due_minor::BIGINT AS past_due_minor,
    a.past_due_principal_minor::BIGINT AS past_due_principal_minor,
    a.past_due_interest_minor::BIGINT AS past_due_interest_minor,
    a.past_due_fee_minor::BIGINT AS past_due_fee_minor,
    a.past_due_penalty_minor::BIGINT AS past_due_penalty_minor,
    a.outstanding_principal_minor::BIGINT AS outstanding_principal_minor,
    b.code::VARCHAR AS bucket,
    c.code::VARCHAR AS contract_bucket
FROM aged AS a
INNER JOIN day_bucket AS b ON a.delinquent_days = b.age_days
INNER JOIN day_bucket AS c ON a.past_due_days = c.age_days
UNION ALL
SELECT
    $closing_date::DATE AS closing_date,
    $as_of::DATE AS as_of,
    l.loan_id::VARCHAR AS loan_id,
    l.borrower_id::VARCHAR AS borrower_id,
    l.product_code::VARCHAR AS product_code,
    l.currency::VARCHAR AS currency,
    l.status_code::VARCHAR AS status_code,
    (l.status_code IN ('active', 'charged_off'))::BOOLEAN AS is_open,
    NULL::DATE AS past_due_on,
    0::INTEGER AS past_due_days,
    0::INTEGER AS paused_days,
    0::INTEGER AS delinquent_days,
    0::INTEGER AS past_due_instalments,
    0::BIGINT AS past_due_minor,
    0::BIGINT AS past_due_principal_minor,
    0::BIGINT AS past_due_interest_minor,
    0::BIGINT AS past_due_fee_minor,
    0::BIGINT AS past_due_penalty_minor,
    CASE
        WHEN l.status_code IN ('active', 'charged_off') THEN l.outstanding_principal_minor ELSE 0
    END::BIGINT AS outstanding_principal_minor,
    $current_bucket::VARCHAR AS bucket,
    $current_bucket::VARCHAR AS contract_bucket
FROM raw__loan AS l
LEFT JOIN arrears AS a ON l.loan_id = a.loan_id
WHERE a.loan_id IS NULL
