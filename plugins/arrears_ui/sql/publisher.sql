-- The run that published what the date shows now.
-- Grain: one row, or none.
SELECT run_ref
FROM bi.publication
WHERE portfolio = $portfolio AND business_date = $business_date AND is_current
