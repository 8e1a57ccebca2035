-- Grain: transaction_id: entries of the accounts that are replayed, read once of all; reversals are gone into annulled.
-- Inputs: replayed_loan, raw__transaction.
SELECT
    t.loan_id::VARCHAR AS loan_id,
    t.transaction_id::VARCHAR AS transaction_id,
    t.kind_code::VARCHAR AS kind_code,
    t.effective_on::DATE AS effective_on,
    t.booked_at,
    t.amount_minor::BIGINT AS amount_minor,
    t.component_code::VARCHAR AS component_code
FROM raw__transaction AS t
INNER JOIN replayed_loan AS l ON t.loan_id = l.loan_id
WHERE t.kind_code <> 'reversal'
