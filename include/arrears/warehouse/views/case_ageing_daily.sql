-- How old open cases are: mean, median, and the 90th percentile by nearest rank.
-- Grain: one row per portfolio, business date and bucket.
-- Of: mart.fct_case_daily
-- open_cases: Cases open on the day
-- case_age_days_sum: Their ages in sum
-- mean_age_days: case_age_days_sum over open_cases, rounded half up to 2 places
-- median_age_days: Median age; between two, their mean
-- p90_age_days: Smallest age that 90 % of the cases do not exceed
SELECT
    portfolio,
    business_date,
    bucket,
    COUNT(*) AS open_cases,
    SUM(case_age_days)::bigint AS case_age_days_sum,
    ROUND(SUM(case_age_days)::numeric / COUNT(*), 2) AS mean_age_days,
    ROUND((PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY case_age_days))::numeric, 1) AS median_age_days,
    PERCENTILE_DISC(0.9) WITHIN GROUP (ORDER BY case_age_days) AS p90_age_days
FROM mart.fct_case_daily
WHERE event_code <> 'closed'
GROUP BY portfolio, business_date, bucket
