-- Agents as they were from date to date (type 2): join on the code where business_date >= valid_from and
-- business_date < valid_to, or take is_current. Versions follow from the members each day knew, so none overlap.
-- Grain: one row per portfolio, agent and version, and an unknown one per portfolio.
-- Of: mart.dim_member_daily
-- agent_id: Agent, as the facts name it; unknown for none [pseudonym]
-- valid_from: First business date of the version
-- valid_to: First business date of the next one (half-open); 9999-12-31: none
-- is_current: Whether it is the newest
WITH seen AS (
    SELECT
        portfolio,
        member_code,
        business_date,
        queue_ids,
        languages,
        (
            (ROW_NUMBER() OVER earlier) = 1
            OR queue_ids IS DISTINCT FROM (LAG(queue_ids) OVER earlier)
            OR languages IS DISTINCT FROM (LAG(languages) OVER earlier)
        ) AS is_new
    FROM mart.dim_member_daily
    WHERE dimension_code = 'agent'
    WINDOW earlier AS (PARTITION BY portfolio, member_code ORDER BY business_date)
), version AS (
    SELECT
        portfolio,
        member_code,
        business_date AS valid_from,
        LEAD(business_date) OVER (PARTITION BY portfolio, member_code ORDER BY business_date) AS valid_to,
        queue_ids,
        languages
    FROM seen
    WHERE is_new
)
SELECT
    portfolio,
    member_code AS agent_id,
    valid_from,
    COALESCE(valid_to, DATE '9999-12-31') AS valid_to,
    valid_to IS NULL AS is_current,
    queue_ids,
    languages
FROM version
UNION ALL
SELECT DISTINCT
    portfolio,
    'unknown' AS agent_id,
    DATE '0001-01-01' AS valid_from,
    DATE '9999-12-31' AS valid_to,
    TRUE AS is_current,
    NULL::TEXT AS queue_ids,
    NULL::TEXT AS languages
FROM mart.fct_summary_daily
