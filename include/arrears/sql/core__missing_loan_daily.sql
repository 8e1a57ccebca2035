-- Grain: loan_id: open when last seen, and in no row of today's ledger. It stays listed until the ledger has it again.
-- Rules: ARR-TRN-07. Set-based twin of rules/transitions.py (is_missing). Inputs: core__loan_delinquency_daily,
-- previous__loan_delinquency, previous__missing_loan (both empty on the first day).
-- Parameters: $compared_with, $missing_code (the error's code).
WITH last_seen AS (
    SELECT
        loan_id,
        borrower_id,
        product_code,
        currency,
        $compared_with::DATE AS last_seen_on,
        status_code,
        past_due_days,
        past_due_minor,
        contract_bucket,
        outstanding_principal_minor
    FROM previous__loan_delinquency
    WHERE is_open
    UNION ALL
    SELECT
        loan_id,
        borrower_id,
        product_code,
        currency,
        last_seen_on,
        status_code,
        past_due_days,
        past_due_minor,
        contract_bucket,
        outstanding_principal_minor
    FROM previous__missing_loan
)
SELECT
    l.loan_id::VARCHAR AS loan_id,
    l.borrower_id::VARCHAR AS borrower_id,
    l.product_code::VARCHAR AS product_code,
    l.currency::VARCHAR AS currency,
    $missing_code::VARCHAR AS error_code,
    l.last_seen_on::DATE AS last_seen_on,
    l.status_code::VARCHAR AS status_code,
    l.past_due_days::INTEGER AS past_due_days,
    l.past_due_minor::BIGINT AS past_due_minor,
    l.contract_bucket::VARCHAR AS contract_bucket,
    l.outstanding_principal_minor::BIGINT AS outstanding_principal_minor
FROM last_seen AS l
LEFT JOIN core__loan_delinquency_daily AS n ON l.loan_id = n.loan_id
WHERE n.loan_id IS NULL
