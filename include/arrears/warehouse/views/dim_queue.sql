-- Queues as they were from date to date (type 2): join on the code where business_date >= valid_from and
-- business_date < valid_to, or take is_current. Versions follow from the members each day knew, so none overlap.
-- Grain: one row per portfolio, queue and version, and an unknown one per portfolio.
-- Of: mart.dim_member_daily
-- queue_id: Queue, as the facts name it; unknown for none
-- valid_from: First business date of the version
-- valid_to: First business date of the next one (half-open); 9999-12-31: none
-- is_current: Whether it is the newest
WITH seen AS (
    SELECT
        portfolio,
        member_code,
        business_date,
        work_mode_code,
        avg_handle_seconds,
        attempts_per_case,
        (
            (ROW_NUMBER() OVER earlier) = 1
            OR work_mode_code IS DISTINCT FROM (LAG(work_mode_code) OVER earlier)
            OR avg_handle_seconds IS DISTINCT FROM (LAG(avg_handle_seconds) OVER earlier)
            OR attempts_per_case IS DISTINCT FROM (LAG(attempts_per_case) OVER earlier)
        ) AS is_new
    FROM mart.dim_member_daily
    WHERE dimension_code = 'queue'
    WINDOW earlier AS (PARTITION BY portfolio, member_code ORDER BY business_date)
), version AS (
    SELECT
        portfolio,
        member_code,
        business_date AS valid_from,
        LEAD(business_date) OVER (PARTITION BY portfolio, member_code ORDER BY business_date) AS valid_to,
        work_mode_code,
        avg_handle_seconds,
        attempts_per_case
    FROM seen
    WHERE is_new
)
SELECT
    portfolio,
    member_code AS queue_id,
    valid_from,
    COALESCE(valid_to, DATE '9999-12-31') AS valid_to,
    valid_to IS NULL AS is_current,
    work_mode_code,
    avg_handle_seconds,
    attempts_per_case
FROM version
UNION ALL
SELECT DISTINCT
    portfolio,
    'unknown' AS queue_id,
    DATE '0001-01-01' AS valid_from,
    DATE '9999-12-31' AS valid_to,
    TRUE AS is_current,
    NULL::TEXT AS work_mode_code,
    NULL::INTEGER AS avg_handle_seconds,
    NULL::INTEGER AS attempts_per_case
FROM mart.fct_summary_daily
