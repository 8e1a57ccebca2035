-- Newly overdue, rolled and cured loans: counts and amounts.
-- Grain: one row per portfolio, business date, event, product and currency.
-- Of: mart.fct_delinquency_event_total_daily
SELECT
    portfolio,
    business_date,
    event_code,
    product_code,
    currency,
    loans,
    past_due_minor
FROM mart.fct_delinquency_event_total_daily
