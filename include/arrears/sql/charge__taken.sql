-- Grain: transaction_id: standing charge, and the instalment that takes it: the first that is due on its day or later,
-- a down payment left out. One that comes after the last is owed by itself, on its day: seq is NULL.
-- Rules: ARR-AGE-02. Inputs: schedule, eventful_transaction, annulled. Parameters: $zone, $as_of.
SELECT
    t.loan_id::VARCHAR AS loan_id,
    t.transaction_id::VARCHAR AS transaction_id,
    COALESCE(ANY_VALUE(t.component_code), 'fee')::VARCHAR AS component_code,
    ANY_VALUE(t.amount_minor)::BIGINT AS amount_minor,
    ARG_MIN(i.seq, (i.due_on, i.seq))::INTEGER AS seq,
    COALESCE(MIN(i.due_on), ANY_VALUE(t.effective_on))::DATE AS due_on
FROM eventful_transaction AS t
LEFT JOIN schedule AS i
    ON
        t.loan_id = i.loan_id
        AND t.effective_on <= i.due_on
        AND COALESCE(i.kind_code, 'instalment') <> 'down_payment'
ANTI JOIN annulled AS a ON t.loan_id = a.loan_id AND t.transaction_id = a.transaction_id
WHERE
    t.kind_code = 'charge'
    AND LEAST(t.effective_on, COALESCE(TIMEZONE($zone, t.booked_at)::DATE, t.effective_on)) <= $as_of
GROUP BY t.loan_id, t.transaction_id
