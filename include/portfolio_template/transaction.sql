-- Grain: one row per transaction up to the close. Columns: docs/reference/tables.md, raw__transaction.
SELECT
    transaction_id,
    loan_id,
    kind_code,
    effective_on,
    booked_at,
    amount_minor,
    reverses_id,
    source_file,
    source_line
FROM transaction
