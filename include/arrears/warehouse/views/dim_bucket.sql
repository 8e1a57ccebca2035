-- Buckets as they were from date to date (type 2): join on the code where business_date >= valid_from and
-- business_date < valid_to, or take is_current. Versions follow from the members each day knew, so none overlap.
-- Grain: one row per portfolio, bucket and version, and an unknown one per portfolio.
-- Of: mart.dim_member_daily
-- bucket_code: Bucket, as the facts name it; unknown for none
-- valid_from: First business date of the version
-- valid_to: First business date of the next one (half-open); 9999-12-31: none
-- is_current: Whether it is the newest
WITH seen AS (
    SELECT
        portfolio,
        member_code,
        business_date,
        member_rank,
        from_days,
        to_days,
        queue_ids,
        (
            (ROW_NUMBER() OVER earlier) = 1
            OR member_rank IS DISTINCT FROM (LAG(member_rank) OVER earlier)
            OR from_days IS DISTINCT FROM (LAG(from_days) OVER earlier)
            OR to_days IS DISTINCT FROM (LAG(to_days) OVER earlier)
            OR queue_ids IS DISTINCT FROM (LAG(queue_ids) OVER earlier)
        ) AS is_new
    FROM mart.dim_member_daily
    WHERE dimension_code = 'bucket'
    WINDOW earlier AS (PARTITION BY portfolio, member_code ORDER BY business_date)
), version AS (
    SELECT
        portfolio,
        member_code,
        business_date AS valid_from,
        LEAD(business_date) OVER (PARTITION BY portfolio, member_code ORDER BY business_date) AS valid_to,
        member_rank,
        from_days,
        to_days,
        queue_ids
    FROM seen
    WHERE is_new
)
SELECT
    portfolio,
    member_code AS bucket_code,
    valid_from,
    COALESCE(valid_to, DATE '9999-12-31') AS valid_to,
    valid_to IS NULL AS is_current,
    member_rank,
    from_days,
    to_days,
    queue_ids
FROM version
UNION ALL
SELECT DISTINCT
    portfolio,
    'unknown' AS bucket_code,
    DATE '0001-01-01' AS valid_from,
    DATE '9999-12-31' AS valid_to,
    TRUE AS is_current,
    NULL::INTEGER AS member_rank,
    NULL::INTEGER AS from_days,
    NULL::INTEGER AS to_days,
    NULL::TEXT AS queue_ids
FROM mart.fct_summary_daily
