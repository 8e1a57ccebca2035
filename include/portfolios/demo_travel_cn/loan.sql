-- Loans disbursed by the close, with the status and balance that held at it.
SELECT
    account.loan_no AS loan_id,
    account.customer_no AS borrower_id,
    account.product AS product_code,
    account.currency,
    account.principal_minor,
    account.disbursed_on,
    account.maturity_on,
    state.status AS status_code,
    state.status_on,
    account.grace_days,
    state.outstanding_principal_minor
FROM core_banking.loan_account AS account
INNER JOIN core_banking.loan_state AS state ON account.loan_no = state.loan_no
WHERE
    state.valid_from <= :closing_date
    AND (state.valid_to IS NULL OR state.valid_to > :closing_date)
