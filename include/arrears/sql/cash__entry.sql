-- Grain: transaction that moves cash: repayments in, chargebacks out, reversals as what they undo; waivers, refunds of
-- merchants and charges are no cash.
-- Rules: ARR-MET-08. Inputs: ledger_transaction (raw__transaction of one close).
WITH undoing AS (
    SELECT
        r.transaction_id,
        r.loan_id,
        r.effective_on,
        r.booked_at,
        r.amount_minor,
        CASE o.kind_code
            WHEN 'repayment' THEN -1
            WHEN 'chargeback' THEN 1
            WHEN 'reversal' THEN CASE u.kind_code WHEN 'repayment' THEN 1 WHEN 'chargeback' THEN -1 ELSE 0 END
            ELSE 0
        END AS sign
    FROM ledger_transaction AS r
    INNER JOIN ledger_transaction AS o ON r.reverses_id = o.transaction_id
    LEFT JOIN ledger_transaction AS u ON o.reverses_id = u.transaction_id
    WHERE r.kind_code = 'reversal'
)
SELECT
    transaction_id,
    loan_id,
    effective_on,
    booked_at,
    (CASE kind_code WHEN 'repayment' THEN amount_minor ELSE -amount_minor END)::BIGINT AS cash_minor
FROM ledger_transaction
WHERE kind_code IN ('repayment', 'chargeback')
UNION ALL
SELECT
    transaction_id,
    loan_id,
    effective_on,
    booked_at,
    (sign * amount_minor)::BIGINT AS cash_minor
FROM undoing
WHERE sign <> 0
