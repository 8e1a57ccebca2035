-- Source tie-out: figures in which the source and this pipeline differ; no contact about these loans is planned.
-- Grain: one row per portfolio, business date, loan and figure.
-- Of: mart.fct_source_difference_daily
-- difference: theirs less ours
SELECT
    portfolio,
    business_date,
    loan_id,
    product_code,
    currency,
    figure_code,
    ours,
    theirs,
    theirs - ours AS difference
FROM mart.fct_source_difference_daily
