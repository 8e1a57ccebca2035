-- The business date of a run, by its steps or by what it published.
-- Grain: one row; NULL before its first step has ended.
SELECT MAX(business_date) AS business_date
FROM (
    SELECT business_date FROM bi.run_step
    WHERE portfolio = $portfolio AND run_ref = $run_ref
    UNION ALL
    SELECT business_date FROM bi.publication
    WHERE portfolio = $portfolio AND run_ref = $run_ref
) AS told
