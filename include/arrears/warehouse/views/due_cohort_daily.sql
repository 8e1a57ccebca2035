-- What came of what fell due on a day, observed at each later close: recovery D1 to D60 (催回率, cash), cure, re-default.
-- collected and what is left of entered sum to entered: the recovery ratio and the roll add to 1.
-- Grain: one row per portfolio, business date, due date, product and currency.
-- Of: mart.fct_due_cohort_daily
-- recovery_ratio: collected_minor over entered_minor, rounded half up to 4 places; NULL when nothing entered
-- not_recovered_ratio: 1 less recovery_ratio
-- cure_ratio: cured_loans over entered_loans
-- redefault_ratio: redefaulted_loans over cured_loans
SELECT
    portfolio,
    business_date,
    due_on,
    after_days,
    product_code,
    currency,
    first_due_loans,
    first_due_minor,
    first_unpaid_loans,
    first_unpaid_minor,
    entered_loans,
    entered_minor,
    collected_minor,
    cured_loans,
    redefaulted_loans,
    ROUND(collected_minor::numeric / NULLIF(entered_minor, 0), 4) AS recovery_ratio,
    ROUND((entered_minor - collected_minor)::numeric / NULLIF(entered_minor, 0), 4) AS not_recovered_ratio,
    ROUND(cured_loans::numeric / NULLIF(entered_loans, 0), 4) AS cure_ratio,
    ROUND(redefaulted_loans::numeric / NULLIF(cured_loans, 0), 4) AS redefault_ratio
FROM mart.fct_due_cohort_daily
