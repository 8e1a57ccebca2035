-- What moved since the day before.
-- Grain: one row per transition and currency.
SELECT
    event_code,
    currency,
    SUM(loans)::bigint AS loans,
    SUM(past_due_minor)::bigint AS past_due_minor
FROM bi.delinquency_event_total_daily
WHERE portfolio = $portfolio AND business_date = $business_date
GROUP BY event_code, currency
ORDER BY loans DESC, event_code ASC, currency ASC
