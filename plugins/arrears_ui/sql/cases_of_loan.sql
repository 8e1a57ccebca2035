-- The case that was about a loan on the last day on which the loan was past due.
-- Grain: one row per case; none when it never was.
WITH newest AS (
    SELECT MAX(business_date) AS business_date
    FROM bi.loan_daily
    WHERE portfolio = $portfolio AND loan_id = $loan_id AND business_date <= $business_date AND past_due_days > 0
)
SELECT
    case_id,
    business_date
FROM bi.case_loan_daily
WHERE portfolio = $portfolio AND loan_id = $loan_id AND business_date = (SELECT business_date FROM newest)
ORDER BY case_id
LIMIT 20
