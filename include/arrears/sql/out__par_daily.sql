-- Grain: threshold x product x currency. PAR X = outstanding principal of active loans with past_due_days > X
-- over the outstanding principal of all active loans; charged-off loans are in neither.
-- Rules: ARR-MET-03. Inputs: core__loan_delinquency_daily.
WITH threshold AS (
    SELECT UNNEST([1, 30, 60, 90])::INTEGER AS threshold_days
), active_loan AS (
    SELECT closing_date, product_code, currency, past_due_days, outstanding_principal_minor
    FROM core__loan_delinquency_daily
    WHERE status_code = 'active'
)
SELECT
    ANY_VALUE(l.closing_date)::DATE AS closing_date,
    t.threshold_days::INTEGER AS threshold_days,
    l.product_code::VARCHAR AS product_code,
    l.currency::VARCHAR AS currency,
    COUNT(*) FILTER (WHERE l.past_due_days > t.threshold_days)::BIGINT AS at_risk_loans,
    COALESCE(
        SUM(l.outstanding_principal_minor) FILTER (WHERE l.past_due_days > t.threshold_days), 0
    )::BIGINT AS numerator_minor,
    COUNT(*)::BIGINT AS loans,
    SUM(l.outstanding_principal_minor)::BIGINT AS denominator_minor
FROM active_loan AS l CROSS JOIN threshold AS t
GROUP BY t.threshold_days, l.product_code, l.currency
