-- What happened to a loan.
-- Grain: one row per business date and transition, newest first, at most 200.
SELECT
    business_date,
    event_code,
    from_bucket,
    to_bucket,
    currency,
    past_due_minor,
    from_past_due_days,
    to_past_due_days
FROM bi.delinquency_event_daily
WHERE portfolio = $portfolio AND loan_id = $loan_id AND business_date <= $business_date
ORDER BY business_date DESC, event_code ASC
LIMIT 200
