-- Products as they were from date to date (type 2): join on the code where business_date >= valid_from and
-- business_date < valid_to, or take is_current. Versions follow from the members each day knew, so none overlap.
-- Grain: one row per portfolio, product and version, and an unknown one per portfolio.
-- Of: mart.dim_member_daily
-- product_code: Product, as the facts name it; unknown for none
-- valid_from: First business date of the version
-- valid_to: First business date of the next one (half-open); 9999-12-31: none
-- is_current: Whether it is the newest
WITH seen AS (
    SELECT
        portfolio,
        member_code,
        business_date,
        (ROW_NUMBER() OVER earlier) = 1 AS is_new
    FROM mart.dim_member_daily
    WHERE dimension_code = 'product'
    WINDOW earlier AS (PARTITION BY portfolio, member_code ORDER BY business_date)
), version AS (
    SELECT
        portfolio,
        member_code,
        business_date AS valid_from,
        LEAD(business_date) OVER (PARTITION BY portfolio, member_code ORDER BY business_date) AS valid_to
    FROM seen
    WHERE is_new
)
SELECT
    portfolio,
    member_code AS product_code,
    valid_from,
    COALESCE(valid_to, DATE '9999-12-31') AS valid_to,
    valid_to IS NULL AS is_current
FROM version
UNION ALL
SELECT DISTINCT
    portfolio,
    'unknown' AS product_code,
    DATE '0001-01-01' AS valid_from,
    DATE '9999-12-31' AS valid_to,
    TRUE AS is_current
FROM mart.fct_summary_daily
