-- Grain: month of disbursement x product x currency, on month-end closes only; no row on any other day.
-- Rules: ARR-MET-12. Inputs: raw__loan, core__loan_delinquency_daily, core__ever_past_due_daily.
WITH loan AS (
    SELECT
        DATE_TRUNC('month', l.disbursed_on)::DATE AS cohort_on,
        l.product_code,
        l.currency,
        l.principal_minor,
        d.is_open,
        d.past_due_days,
        d.outstanding_principal_minor,
        COALESCE(e.ever_past_due_days, 0) AS ever_past_due_days
    FROM raw__loan AS l
    INNER JOIN core__loan_delinquency_daily AS d ON l.loan_id = d.loan_id
    LEFT JOIN core__ever_past_due_daily AS e ON l.loan_id = e.loan_id
    WHERE l.status_code <> 'cancelled' AND DATE_PART('day', $business_date::DATE) = 1
)
SELECT
    $closing_date::DATE AS closing_date,
    cohort_on::DATE AS cohort_on,
    DATE_DIFF('month', cohort_on, $closing_date::DATE)::INTEGER AS months_on_book,
    product_code::VARCHAR AS product_code,
    currency::VARCHAR AS currency,
    COUNT(*)::BIGINT AS loans,
    SUM(principal_minor)::BIGINT AS disbursed_minor,
    COUNT(*) FILTER (WHERE is_open)::BIGINT AS open_loans,
    SUM(outstanding_principal_minor)::BIGINT AS outstanding_principal_minor,
    COUNT(*) FILTER (WHERE is_open AND past_due_days >= 30)::BIGINT AS overdue30_loans,
    COALESCE(SUM(outstanding_principal_minor) FILTER (WHERE is_open AND past_due_days >= 30), 0)::BIGINT
        AS overdue30_minor,
    COUNT(*) FILTER (WHERE ever_past_due_days >= 30)::BIGINT AS ever30_loans,
    COALESCE(SUM(principal_minor) FILTER (WHERE ever_past_due_days >= 30), 0)::BIGINT AS ever30_minor,
    COUNT(*) FILTER (WHERE is_open AND past_due_days >= 90)::BIGINT AS overdue90_loans,
    COALESCE(SUM(outstanding_principal_minor) FILTER (WHERE is_open AND past_due_days >= 90), 0)::BIGINT
        AS overdue90_minor,
    COUNT(*) FILTER (WHERE ever_past_due_days >= 90)::BIGINT AS ever90_loans
FROM loan
GROUP BY cohort_on, product_code, currency
