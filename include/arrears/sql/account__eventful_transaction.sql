-- Grain: transaction_id: every entry of the loans on which more happened than payments; on most books few, read once.
-- Rules: ARR-AGE-02. Inputs: raw__transaction.
SELECT
    t.loan_id,
    t.transaction_id,
    t.kind_code,
    t.effective_on,
    t.booked_at,
    t.amount_minor,
    t.component_code,
    t.reverses_id
FROM raw__transaction AS t
WHERE
    t.loan_id IN (
        SELECT r.loan_id
        FROM raw__transaction AS r
        WHERE r.kind_code IN ('reversal', 'charge', 'chargeback', 'credit_refund')
    )
