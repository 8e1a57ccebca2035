-- Loans gone from the ledger without an ending, as last seen; no contact about them is planned. Borrowers are left out.
-- Grain: one row per portfolio, business date and loan.
-- Of: mart.fct_missing_loan_daily
SELECT
    portfolio,
    business_date,
    loan_id,
    product_code,
    currency,
    error_code,
    last_seen_on,
    status_code,
    past_due_days,
    past_due_minor,
    contract_bucket,
    outstanding_principal_minor
FROM mart.fct_missing_loan_daily
