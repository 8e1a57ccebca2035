-- Cost to collect: cost of collection over cash received on loans that were past due. Without a cost table, or with one
-- that misses a published day of the month, it is not available, never 0.
-- Grain: one row per portfolio, month and currency.
-- Of: mart.fct_summary_daily
-- month_on: First day of the month of the closing dates
-- collected_minor: Net cash on loans that were past due on the day before
-- cost_minor: Cost of collection of the month's published closes; NULL: not available
-- availability_code: available or not_available
-- cost_ratio: cost_minor over collected_minor, rounded half up to 4 places; NULL: not available
WITH spent AS (
    SELECT
        portfolio,
        CAST(DATE_TRUNC('month', closing_date) AS date) AS month_on,
        currency,
        CAST(CASE WHEN COUNT(*) = COUNT(cost_minor) THEN SUM(cost_minor) END AS bigint) AS cost_minor
    FROM mart.fct_summary_daily
    GROUP BY portfolio, CAST(DATE_TRUNC('month', closing_date) AS date), currency
), received AS (
    SELECT
        portfolio,
        CAST(DATE_TRUNC('month', business_date - 1) AS date) AS month_on,
        currency,
        CAST(SUM(cash_minor) AS bigint) AS collected_minor
    FROM mart.fct_payment_allocated
    WHERE past_due_days_before > 0
    GROUP BY portfolio, CAST(DATE_TRUNC('month', business_date - 1) AS date), currency
)
SELECT
    spent.portfolio,
    spent.month_on,
    spent.currency,
    CAST(COALESCE(received.collected_minor, 0) AS bigint) AS collected_minor,
    spent.cost_minor,
    CASE WHEN spent.cost_minor IS NULL THEN 'not_available' ELSE 'available' END AS availability_code,
    ROUND(CAST(spent.cost_minor AS numeric) / NULLIF(received.collected_minor, 0), 4) AS cost_ratio
FROM spent
LEFT JOIN received
    ON
        spent.portfolio = received.portfolio
        AND spent.month_on = received.month_on
        AND spent.currency = received.currency
