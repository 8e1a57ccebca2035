-- Grain: loan_id x seq: instalments of the accounts that are replayed, read once of all.
-- Inputs: replayed_loan, schedule.
SELECT
    i.loan_id::VARCHAR AS loan_id,
    i.seq::INTEGER AS seq,
    i.due_on::DATE AS due_on,
    i.principal_minor::BIGINT AS principal_minor,
    i.interest_minor::BIGINT AS interest_minor,
    i.fee_minor::BIGINT AS fee_minor,
    i.penalty_minor::BIGINT AS penalty_minor,
    i.kind_code::VARCHAR AS kind_code
FROM schedule AS i
INNER JOIN replayed_loan AS l ON i.loan_id = l.loan_id
