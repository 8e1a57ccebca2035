-- Vintage curves of the newest twelve months of disbursement, by months on book: 30 days late, ever and now.
-- Grain: one row per month of disbursement, months on book and currency, of the month ends closed on the day shown.
WITH curve AS (
    SELECT
        cohort_on,
        months_on_book,
        currency,
        SUM(loans) AS loans,
        SUM(disbursed_minor) AS disbursed_minor,
        SUM(ever30_loans) AS ever30_loans,
        SUM(overdue30_minor) AS overdue30_minor
    FROM bi.vintage_monthly
    WHERE
        portfolio = $portfolio
        AND business_date <= $business_date
        AND cohort_on >= (DATE_TRUNC('month', CAST($business_date AS date)) - interval '12 months')::date
    GROUP BY cohort_on, months_on_book, currency
)
SELECT
    cohort_on,
    months_on_book,
    currency,
    loans,
    disbursed_minor,
    ever30_loans,
    overdue30_minor,
    ROUND(ever30_loans / NULLIF(loans, 0), 4) AS ever30_ratio,
    ROUND(overdue30_minor / NULLIF(disbursed_minor, 0), 4) AS overdue30_ratio
FROM curve
ORDER BY currency, cohort_on, months_on_book
