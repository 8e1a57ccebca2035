-- What each ledger table looked like, figure by figure, beside its median over the last 8 same weekdays.
-- Grain: one row per portfolio, business date, ledger table and figure of its profile.
-- Of: mart.fct_data_quality_daily
SELECT
    portfolio,
    business_date,
    table_name,
    profile_code,
    profile_value,
    median_value,
    compared_days,
    verdict_code
FROM mart.fct_data_quality_daily
