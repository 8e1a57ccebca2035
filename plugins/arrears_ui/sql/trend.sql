-- Thirty published days up to the one shown.
-- Grain: one row per business date and currency, oldest first.
WITH shown AS (
    SELECT DISTINCT business_date
    FROM bi.daily_summary
    WHERE portfolio = $portfolio AND business_date <= $business_date
    ORDER BY business_date DESC
    LIMIT 30
)
SELECT
    one_day.business_date,
    one_day.currency,
    one_day.past_due_loans,
    one_day.past_due_minor,
    one_day.newly_overdue_loans,
    one_day.cured_loans,
    one_day.par30_ratio
FROM bi.daily_summary AS one_day
INNER JOIN shown ON one_day.business_date = shown.business_date
WHERE one_day.portfolio = $portfolio
ORDER BY one_day.business_date, one_day.currency
