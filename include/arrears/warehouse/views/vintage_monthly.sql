-- Vintage curves: what became of each month's disbursements by months on book (MOB), currently 30 days past due or more
-- and ever. A month on book that is not closed yet has no row. The ever curve never falls.
-- Grain: one row per portfolio, month-end close, month of disbursement, product and currency.
-- Of: mart.fct_vintage_monthly
-- overdue30_ratio: overdue30_minor over disbursed_minor, rounded half up to 4 places
-- ever30_ratio: ever30_loans over loans
-- overdue90_ratio: overdue90_minor over disbursed_minor
-- ever90_ratio: ever90_loans over loans
SELECT
    portfolio,
    business_date,
    closing_date,
    cohort_on,
    months_on_book,
    product_code,
    currency,
    loans,
    disbursed_minor,
    open_loans,
    outstanding_principal_minor,
    overdue30_loans,
    overdue30_minor,
    ever30_loans,
    ever30_minor,
    overdue90_loans,
    overdue90_minor,
    ever90_loans,
    ROUND(overdue30_minor::numeric / NULLIF(disbursed_minor, 0), 4) AS overdue30_ratio,
    ROUND(ever30_loans::numeric / NULLIF(loans, 0), 4) AS ever30_ratio,
    ROUND(overdue90_minor::numeric / NULLIF(disbursed_minor, 0), 4) AS overdue90_ratio,
    ROUND(ever90_loans::numeric / NULLIF(loans, 0), 4) AS ever90_ratio
FROM mart.fct_vintage_monthly
