-- Grain: loan_id x transaction_id: entry that a reversal undid, reversals of reversals minded.
-- Rules: ARR-AGE-02. Set-based twin of rules/account.py (standing_transactions).
-- Inputs: eventful_transaction. Parameters: $as_of.
WITH reversal AS (
    SELECT
        loan_id,
        transaction_id,
        reverses_id
    FROM eventful_transaction
    WHERE kind_code = 'reversal' AND effective_on <= $as_of
), last_reversal AS (
    SELECT
        r.loan_id,
        r.reverses_id
    FROM reversal AS r
    LEFT JOIN reversal AS n ON r.loan_id = n.loan_id AND r.transaction_id = n.reverses_id
    WHERE n.loan_id IS NULL
)
SELECT DISTINCT
    r.loan_id::VARCHAR AS loan_id,
    r.reverses_id::VARCHAR AS transaction_id
FROM reversal AS r
LEFT JOIN last_reversal AS u ON r.loan_id = u.loan_id AND r.transaction_id = u.reverses_id
WHERE u.loan_id IS NULL
