-- First-payment default (首逾): loans whose first instalment was unpaid at its due date's close (0), or still is 7 or 30
-- days later. Only due dates that were observed after so many days count, in both figures.
-- Grain: one row per portfolio, month of the first due date, days after it (0, 7, 30), product and currency.
-- Of: mart.fct_due_cohort_daily
-- month_on: First day of the month of the first due dates
-- fpd_ratio: first_unpaid_loans over first_due_loans, rounded half up to 4 places
-- fpd_amount_ratio: first_unpaid_minor over first_due_minor, rounded half up to 5 places
WITH cohort AS (
    SELECT
        portfolio,
        CAST(DATE_TRUNC('month', due_on) AS date) AS month_on,
        after_days,
        product_code,
        currency,
        CAST(SUM(first_due_loans) AS bigint) AS first_due_loans,
        CAST(SUM(first_due_minor) AS bigint) AS first_due_minor,
        CAST(SUM(first_unpaid_loans) AS bigint) AS first_unpaid_loans,
        CAST(SUM(first_unpaid_minor) AS bigint) AS first_unpaid_minor
    FROM mart.fct_due_cohort_daily
    WHERE after_days IN (0, 7, 30) AND first_due_loans > 0
    GROUP BY portfolio, CAST(DATE_TRUNC('month', due_on) AS date), after_days, product_code, currency
)
SELECT
    portfolio,
    month_on,
    after_days,
    product_code,
    currency,
    first_due_loans,
    first_due_minor,
    first_unpaid_loans,
    first_unpaid_minor,
    ROUND(CAST(first_unpaid_loans AS numeric) / NULLIF(first_due_loans, 0), 4) AS fpd_ratio,
    ROUND(CAST(first_unpaid_minor AS numeric) / NULLIF(first_due_minor, 0), 5) AS fpd_amount_ratio
FROM cohort
