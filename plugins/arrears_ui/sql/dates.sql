-- Published business dates, newest first.
-- Grain: one row per business date of the portfolio.
SELECT DISTINCT business_date
FROM bi.daily_summary
WHERE portfolio = $portfolio
ORDER BY business_date DESC
LIMIT 400
