-- Strategies as they were from date to date (type 2): join on the code where business_date >= valid_from and
-- business_date < valid_to, or take is_current. Versions follow from the members each day knew, so none overlap.
-- Grain: one row per portfolio, strategy and version, and an unknown one per portfolio.
-- Of: mart.dim_member_daily
-- strategy_code: Strategy, as the facts name it; unknown for none
-- valid_from: First business date of the version
-- valid_to: First business date of the next one (half-open); 9999-12-31: none
-- is_current: Whether it is the newest
WITH seen AS (
    SELECT
        portfolio,
        member_code,
        business_date,
        version_label,
        (
            (ROW_NUMBER() OVER earlier) = 1
            OR version_label IS DISTINCT FROM (LAG(version_label) OVER earlier)
        ) AS is_new
    FROM mart.dim_member_daily
    WHERE dimension_code = 'strategy'
    WINDOW earlier AS (PARTITION BY portfolio, member_code ORDER BY business_date)
), version AS (
    SELECT
        portfolio,
        member_code,
        business_date AS valid_from,
        LEAD(business_date) OVER (PARTITION BY portfolio, member_code ORDER BY business_date) AS valid_to,
        version_label
    FROM seen
    WHERE is_new
)
SELECT
    portfolio,
    member_code AS strategy_code,
    valid_from,
    COALESCE(valid_to, DATE '9999-12-31') AS valid_to,
    valid_to IS NULL AS is_current,
    version_label
FROM version
UNION ALL
SELECT DISTINCT
    portfolio,
    'unknown' AS strategy_code,
    DATE '0001-01-01' AS valid_from,
    DATE '9999-12-31' AS valid_to,
    TRUE AS is_current,
    NULL::TEXT AS version_label
FROM mart.fct_summary_daily
