-- Grain: one row per loan and instalment of the contractual schedule. Columns: docs/reference/tables.md, raw__instalment.
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
