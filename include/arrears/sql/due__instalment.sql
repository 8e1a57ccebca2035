-- Grain: loan_id x seq: the schedule, each instalment with the charges that it takes, so that what falls due is told on
-- the basis that what stays unpaid of it is. A charge that comes after the last instalment is in none.
-- Rules: ARR-AGE-02, ARR-MET-04. Inputs: schedule, charge_taken.
WITH charged AS (
    SELECT loan_id, seq, SUM(amount_minor) AS charged_minor
    FROM charge_taken
    WHERE seq IS NOT NULL
    GROUP BY loan_id, seq
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
