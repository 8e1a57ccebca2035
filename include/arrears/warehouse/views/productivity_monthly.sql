-- Productivity: cash credited to agents' contacts, an hour of all agents on shift.
-- Grain: one row per portfolio, month of the business date and currency.
-- Of: mart.fct_agent_daily
-- month_on: First day of the month
-- agents: Agents on shift or with a case in the month
-- collected_per_hour_minor: collected_minor over productive hours, rounded half up to 2 places; NULL: not available
WITH worked AS (
    SELECT
        portfolio,
        CAST(DATE_TRUNC('month', business_date) AS date) AS month_on,
        currency,
        COUNT(DISTINCT agent_id) AS agents,
        CAST(SUM(productive_minutes) AS bigint) AS productive_minutes,
        CAST(SUM(collected_minor) AS bigint) AS collected_minor
    FROM mart.fct_agent_daily
    GROUP BY portfolio, CAST(DATE_TRUNC('month', business_date) AS date), currency
)
SELECT
    portfolio,
    month_on,
    currency,
    agents,
    productive_minutes,
    collected_minor,
    ROUND(60 * CAST(collected_minor AS numeric) / NULLIF(productive_minutes, 0), 2) AS collected_per_hour_minor
FROM worked
