-- Grain: loan_id x seq: the schedule, each instalment with the charges that it takes, so that what falls due is told on
-- the basis that what stays unpaid of it is. A charge that comes after the last instalment is in none.
-- Rules: ARR-AGE-02, ARR-MET-04. Inputs: schedule, eventful_transaction, annulled. Parameters: $zone, $as_of.
WITH charge AS (
    SELECT
        t.loan_id,
        t.transaction_id,
        t.amount_minor,
        ARG_MIN(i.seq, (i.due_on, i.seq)) AS taken_by
    FROM eventful_transaction AS t
    INNER JOIN schedule AS i
        ON
            t.loan_id = i.loan_id
            AND t.effective_on <= i.due_on
            AND COALESCE(i.kind_code, 'instalment') <> 'down_payment'
    ANTI JOIN annulled AS a ON t.loan_id = a.loan_id AND t.transaction_id = a.transaction_id
    WHERE
        t.kind_code = 'charge'
        AND LEAST(t.effective_on, COALESCE(TIMEZONE($zone, t.booked_at)::DATE, t.effective_on)) <= $as_of
    GROUP BY t.loan_id, t.transaction_id, t.amount_minor
), charged AS (
    SELECT loan_id, taken_by AS seq, SUM(amount_minor) AS charged_minor
    FROM charge
    GROUP BY loan_id, taken_by
)
SELECT
    i.loan_id::VARCHAR AS loan_id,
    i.seq::INTEGER AS seq,
    i.due_on::DATE AS due_on,
    i.kind_code::VARCHAR AS kind_code,
    (i.principal_minor + i.interest_minor + i.fee_minor + i.penalty_minor + COALESCE(c.charged_minor, 0))::BIGINT
        AS due_minor
FROM schedule AS i
LEFT JOIN charged AS c ON i.loan_id = c.loan_id AND i.seq = c.seq
