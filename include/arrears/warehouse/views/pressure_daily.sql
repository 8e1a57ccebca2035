-- Pressure on borrowers: how often they were contacted, and how they answered: opt-outs, complaints, hardships,
-- disputes.
-- Grain: one row per portfolio, business date and currency.
-- Of: mart.fct_pressure_daily
-- contacts_per_borrower_day: attempts over borrower_days, rounded half up to 4 places; NULL: not available
-- contacted_ratio: contacted_borrowers over borrowers with a case
-- bot_ratio: bot_borrowers over reached_borrowers
SELECT
    portfolio,
    business_date,
    currency,
    borrowers,
    attempts,
    contacted_borrowers,
    borrower_days,
    most_attempts,
    reached_borrowers,
    bot_borrowers,
    opt_outs,
    complaints,
    hardships,
    disputes,
    ROUND(attempts::numeric / NULLIF(borrower_days, 0), 4) AS contacts_per_borrower_day,
    ROUND(contacted_borrowers::numeric / NULLIF(borrowers, 0), 4) AS contacted_ratio,
    ROUND(bot_borrowers::numeric / NULLIF(reached_borrowers, 0), 4) AS bot_ratio
FROM mart.fct_pressure_daily
