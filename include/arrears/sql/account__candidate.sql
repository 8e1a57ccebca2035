-- Grain: loan_id: loan, open or ended, whose entries ask for a replay.
-- Rules: ARR-AGE-04. Inputs: schedule, raw__transaction, eventful_transaction, annulled.
-- Parameters: $as_of, $counted_until, $timezone, $replays: adding (accounts with charges, chargebacks or refunds),
-- behind (also those that paid less than is due), all (every account that has an entry).
SELECT t.loan_id
FROM eventful_transaction AS t
LEFT JOIN annulled AS a ON t.loan_id = a.loan_id AND t.transaction_id = a.transaction_id
WHERE
    t.kind_code IN ('charge', 'chargeback', 'credit_refund')
    AND (t.effective_on <= $as_of OR (t.kind_code = 'charge' AND TIMEZONE($timezone, t.booked_at)::DATE <= $as_of))
    AND a.loan_id IS NULL
UNION
SELECT loan_id
FROM raw__transaction
WHERE $replays = 'all' AND effective_on <= $as_of
UNION
SELECT loan_id
FROM (
    SELECT
        loan_id,
        principal_minor + interest_minor + fee_minor + penalty_minor AS missing_minor
    FROM schedule
    WHERE $replays = 'behind' AND due_on < $counted_until
    UNION ALL
    SELECT
        t.loan_id,
        CASE WHEN a.loan_id IS NULL THEN -t.amount_minor ELSE 0 END AS missing_minor
    FROM raw__transaction AS t
    LEFT JOIN annulled AS a ON t.loan_id = a.loan_id AND t.transaction_id = a.transaction_id
    WHERE
        $replays = 'behind'
        AND t.kind_code IN ('repayment', 'waiver', 'goodwill_credit', 'merchant_refund', 'payout_refund')
        AND t.effective_on <= $as_of
) AS entry
GROUP BY loan_id
HAVING SUM(missing_minor) > 0
