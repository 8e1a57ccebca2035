-- Recovery curve D1 to D60 by month of entry: of what entered in the month and has been followed for so many days, what
-- came back in cash by then, how many were cured, how many of those fell back within 30 days. Later cohorts of the
-- month are in a row only once they are that old: days_observed says how many due dates are.
-- Grain: one row per portfolio, month, days after the due date, product and currency.
-- Of: mart.fct_due_cohort_daily
-- month_on: First day of the month of the due dates
-- days_observed: Due dates of the month that were observed after so many days
-- recovery_ratio: collected_minor over entered_minor, rounded half up to 4 places; NULL when nothing entered
-- cure_ratio: cured_loans over entered_loans
-- redefault_ratio: redefaulted_loans over cured_loans
WITH cohort AS (
    SELECT
        portfolio,
        CAST(DATE_TRUNC('month', due_on) AS date) AS month_on,
        after_days,
        product_code,
        currency,
        COUNT(DISTINCT due_on) AS days_observed,
        CAST(SUM(entered_loans) AS bigint) AS entered_loans,
        CAST(SUM(entered_minor) AS bigint) AS entered_minor,
        CAST(SUM(collected_minor) AS bigint) AS collected_minor,
        CAST(SUM(cured_loans) AS bigint) AS cured_loans,
        CAST(SUM(redefaulted_loans) AS bigint) AS redefaulted_loans
    FROM mart.fct_due_cohort_daily
    WHERE entered_loans > 0
    GROUP BY portfolio, CAST(DATE_TRUNC('month', due_on) AS date), after_days, product_code, currency
)
SELECT
    portfolio,
    month_on,
    after_days,
    product_code,
    currency,
    days_observed,
    entered_loans,
    entered_minor,
    collected_minor,
    cured_loans,
    redefaulted_loans,
    ROUND(CAST(collected_minor AS numeric) / NULLIF(entered_minor, 0), 4) AS recovery_ratio,
    ROUND(CAST(cured_loans AS numeric) / NULLIF(entered_loans, 0), 4) AS cure_ratio,
    ROUND(CAST(redefaulted_loans AS numeric) / NULLIF(cured_loans, 0), 4) AS redefault_ratio
FROM cohort
