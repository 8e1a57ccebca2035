-- Transitions of loans since the previous published day, each once. Borrowers are left out.
-- Grain: one row per portfolio, business date, loan and transition.
-- Of: mart.fct_delinquency_event_daily
SELECT
    portfolio,
    business_date,
    loan_id,
    product_code,
    currency,
    event_code,
    compared_with,
    from_bucket,
    to_bucket,
    past_due_minor,
    from_past_due_days,
    to_past_due_days,
    from_past_due_minor,
    to_past_due_minor,
    corrected_from
FROM mart.fct_delinquency_event_daily
