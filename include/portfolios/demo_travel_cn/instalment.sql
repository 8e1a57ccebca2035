-- Contractual schedule of the loans disbursed by the close, with the penalties assessed by it.
SELECT
    schedule.loan_no AS loan_id,
    schedule.period_no AS seq,
    schedule.due_on,
    schedule.principal_minor,
    schedule.interest_minor,
    schedule.fee_minor,
    COALESCE(penalty.amount_minor, CAST(0 AS bigint)) AS penalty_minor
FROM core_banking.repayment_plan AS schedule
LEFT JOIN core_banking.penalty AS penalty
    ON
        schedule.loan_no = penalty.loan_no
        AND schedule.period_no = penalty.period_no
        AND penalty.assessed_on <= :closing_date
WHERE schedule.known_on <= :closing_date
