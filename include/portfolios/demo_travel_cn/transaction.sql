-- Postings credited and booked by the close: what is booked later is not known yet, however early it is credited.
SELECT
    posting_no AS transaction_id,
    loan_no AS loan_id,
    kind AS kind_code,
    effective_on,
    booked_at,
    amount_minor,
    reverses_no AS reverses_id
FROM core_banking.posting
WHERE effective_on <= :closing_date AND booked_on <= :closing_date
