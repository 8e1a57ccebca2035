-- Loans on whose figures the source and this pipeline differ; contact about them is held.
-- Grain: one row per loan and figure, at most 200.
SELECT
    loan_id,
    figure_code,
    ours,
    theirs,
    difference
FROM bi.source_difference
WHERE portfolio = $portfolio AND business_date = $business_date
ORDER BY loan_id, figure_code
LIMIT 200
