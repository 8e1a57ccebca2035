-- Loans disbursed by the close, with the status and balance that held at it.
SELECT
    agreed.loan_no AS loan_id,
    agreed.customer_no AS borrower_id,
    agreed.product AS product_code,
    agreed.currency,
    agreed.principal_minor,
    agreed.disbursed_on,
    agreed.maturity_on,
    held.status AS status_code,
    held.status_on,
    agreed.grace_days,
    held.outstanding_principal_minor
FROM core_banking.loan_account AS agreed
INNER JOIN core_banking.loan_state AS held ON agreed.loan_no = held.loan_no
WHERE
    held.valid_from <= :closing_date
    AND (held.valid_to IS NULL OR held.valid_to > :closing_date)
