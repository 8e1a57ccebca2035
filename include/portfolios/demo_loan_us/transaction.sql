-- Postings credited and booked by the close.
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
