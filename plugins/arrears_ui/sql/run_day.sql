-- The business date of a run.
-- Grain: one row, or none before its first step has ended.
SELECT MAX(business_date) AS business_date
FROM bi.run_step
WHERE portfolio = $portfolio AND run_ref = $run_ref
