-- Loans past due and their age; current loans appear in portfolio_daily only. Borrowers are left out.
-- Grain: one row per portfolio, business date and past-due loan.
-- Of: mart.fct_loan_daily
SELECT
    portfolio,
    business_date,
    closing_date,
    as_of,
    loan_id,
    product_code,
    currency,
    status_code,
    is_open,
    past_due_on,
    past_due_days,
    paused_days,
    delinquent_days,
    past_due_instalments,
    past_due_minor,
    past_due_principal_minor,
    past_due_interest_minor,
    past_due_fee_minor,
    past_due_penalty_minor,
    outstanding_principal_minor,
    past_due_months_ots,
    past_due_months_mba,
    material_days,
    bucket_days,
    bucket,
    contract_bucket
FROM mart.fct_loan_daily
