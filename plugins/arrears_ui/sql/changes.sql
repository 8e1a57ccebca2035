-- What the newest publication of the date changed against the one before it.
-- Grain: one row per fact that changed.
WITH newest AS (
    SELECT MAX(sequence) AS latest
    FROM bi.publication
    WHERE portfolio = $portfolio AND business_date = $business_date
)
SELECT
    moved.fact,
    moved.rows_before,
    moved.rows_after,
    moved.rows_after - moved.rows_before AS rows_changed
FROM bi.publication_change AS moved
INNER JOIN newest ON moved.sequence = newest.latest
WHERE moved.portfolio = $portfolio AND moved.business_date = $business_date AND moved.is_changed
ORDER BY moved.fact
