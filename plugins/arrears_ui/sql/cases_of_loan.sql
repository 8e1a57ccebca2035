-- Cases that were about a loan, the latest first.
-- Grain: one row per case.
SELECT
    case_id,
    MAX(business_date) AS business_date
FROM bi.case_loan_daily
WHERE portfolio = $portfolio AND loan_id = $loan_id AND business_date <= $business_date
GROUP BY case_id
ORDER BY business_date DESC, case_id ASC
LIMIT 20
