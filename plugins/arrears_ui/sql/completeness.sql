-- Whether the day is all there.
-- Grain: one row; no row when the date is not published.
WITH published AS (
    SELECT
        COUNT(*) AS datasets,
        COUNT(*) FILTER (WHERE status_code = 'restated') AS restated_datasets,
        MAX(published_at) AS published_at
    FROM bi.data_freshness
    WHERE portfolio = $portfolio AND business_date = $business_date
)
SELECT
    published.datasets,
    published.restated_datasets,
    published.published_at,
    (
        SELECT COUNT(DISTINCT CONCAT(table_name, row_number)) FROM bi.quarantine
        WHERE portfolio = $portfolio AND business_date = $business_date AND severity_code = 'fail'
    ) AS rejected_rows,
    (
        SELECT COUNT(DISTINCT loan_id) FROM bi.source_difference
        WHERE portfolio = $portfolio AND business_date = $business_date
    ) AS differing_loans,
    (
        SELECT COUNT(*) FROM bi.missing_loan
        WHERE portfolio = $portfolio AND business_date = $business_date
    ) AS missing_loans,
    (
        SELECT MAX(business_date) FROM bi.data_freshness
        WHERE portfolio = $portfolio
    ) AS newest_on
FROM published
WHERE published.datasets > 0
