-- Portfolio at risk: outstanding principal of loans more than X days past due over that of all active loans. With
-- write-offs, open charged-off loans are in both; with restructured, those count as at risk however they pay.
-- Grain: one row per portfolio, business date, threshold, product and currency.
-- Of: mart.fct_par_daily
-- par_ratio: numerator_minor over denominator_minor, rounded half up to 4 places; NULL when nothing is outstanding
-- par_written_off_ratio: The same with charged-off loans in both
-- par_restructured_ratio: The same with restructured loans in the numerator; NULL: the source does not say
-- arrears_ratio: arrears_minor over denominator_minor; it is no PAR
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
    ROUND(numerator_minor::numeric / NULLIF(denominator_minor, 0), 4) AS par_ratio,
    restructured_loans,
    restructured_minor,
    charged_off_loans,
    charged_off_minor,
    arrears_minor,
    ROUND((numerator_minor + charged_off_minor)::numeric / NULLIF(denominator_minor + charged_off_minor, 0), 4)
        AS par_written_off_ratio,
    ROUND((numerator_minor + restructured_minor)::numeric / NULLIF(denominator_minor, 0), 4) AS par_restructured_ratio,
    ROUND(arrears_minor::numeric / NULLIF(denominator_minor, 0), 4) AS arrears_ratio
FROM mart.fct_par_daily
