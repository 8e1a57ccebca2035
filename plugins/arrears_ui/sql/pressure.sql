-- Pressure on borrowers over thirty published days up to the one shown: how often contacted, and how they answered.
-- Grain: one row per business date and currency, oldest first.
WITH shown AS (
    SELECT DISTINCT business_date
    FROM bi.pressure_daily
    WHERE portfolio = $portfolio AND business_date <= $business_date
    ORDER BY business_date DESC
    LIMIT 30
)
SELECT
    one_day.business_date,
    one_day.currency,
    one_day.borrowers,
    one_day.attempts,
    one_day.contacted_borrowers,
    one_day.contacts_per_borrower_day,
    one_day.most_attempts,
    one_day.bot_ratio,
    one_day.opt_outs,
    one_day.complaints,
    one_day.hardships,
    one_day.disputes
FROM bi.pressure_daily AS one_day
INNER JOIN shown ON one_day.business_date = shown.business_date
WHERE one_day.portfolio = $portfolio
ORDER BY one_day.business_date, one_day.currency
