-- A case as last published up to the date.
-- Grain: one row, or none.
SELECT
    case_id,
    business_date,
    opened_on,
    closed_on,
    case_age_days,
    close_reason_code,
    currency,
    past_due_loans,
    past_due_minor,
    past_due_days,
    bucket,
    hold_code
FROM bi.case_daily
WHERE portfolio = $portfolio AND case_id = $case_id AND business_date <= $business_date
ORDER BY business_date DESC
LIMIT 1
