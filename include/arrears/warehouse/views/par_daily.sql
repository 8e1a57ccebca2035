-- Portfolio at risk: outstanding principal of loans more than X days past due over that of all active loans.
-- Grain: one row per portfolio, business date, threshold, product and currency.
-- Of: mart.fct_par_daily
-- par_ratio: numerator_minor over denominator_minor, rounded half up to 4 places; NULL when nothing is outstanding
SELECT
    portfolio,
    business_date,
    closing_date,
    threshold_days,
    product_code,
    currency,
    at_risk_loans,
    numerator_minor,
    loans,
    denominator_minor,
    ROUND(numerator_minor::numeric / NULLIF(denominator_minor, 0), 4) AS par_ratio
FROM mart.fct_par_daily
