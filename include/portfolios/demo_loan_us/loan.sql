-- Loans disbursed by the close, with the status and balance that held at it. A ledger of another close is no loan.
SELECT
    loan_id,
    borrower_id,
    product_code,
    currency,
    principal_minor,
    disbursed_on,
    maturity_on,
    status_code,
    status_on,
    grace_days,
    outstanding_principal_minor,
    source_past_due_days,
    source_past_due_minor,
    source_file,
    source_line
FROM loan
WHERE closed_on = CAST(:closing_date AS varchar)
