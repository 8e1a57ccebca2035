-- Loans that a case is about, as last published up to the date.
-- Grain: one row per loan.
SELECT
    loan.loan_id,
    loan.product_code,
    loan.currency,
    loan.past_due_days,
    loan.past_due_minor,
    loan.bucket
FROM bi.case_loan_daily AS link
INNER JOIN bi.loan_daily AS loan
    ON
        link.portfolio = loan.portfolio
        AND link.business_date = loan.business_date
        AND link.loan_id = loan.loan_id
WHERE link.portfolio = $portfolio AND link.case_id = $case_id AND link.business_date = $business_date
ORDER BY loan.past_due_minor DESC, loan.loan_id ASC
LIMIT 200
