-- Contractual schedule of the loans disbursed by the close, with the penalties assessed by it.
SELECT
    loan_id,
    seq,
    due_on,
    principal_minor,
    interest_minor,
    fee_minor,
    penalty_minor,
    source_file,
    source_line
FROM instalment
