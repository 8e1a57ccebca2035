-- A loan by its id, as last published up to the date.
-- Grain: one row, or none: a loan that was never past due while published is not here.
SELECT
    loan_id,
    business_date,
    product_code,
    currency,
    status_code,
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
    bucket,
    contract_bucket
FROM bi.loan_daily
WHERE portfolio = $portfolio AND loan_id = $loan_id AND business_date <= $business_date
ORDER BY business_date DESC
LIMIT 1
