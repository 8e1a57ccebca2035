-- Grain: threshold x product x currency. PAR X = outstanding principal of active loans with past_due_days > X
-- over the outstanding principal of all active loans; charged-off loans are in neither, and stand beside it.
-- Rules: ARR-MET-03. Inputs: core__loan_delinquency_daily, raw__loan.
WITH threshold AS (
    SELECT UNNEST([1, 30, 60, 90])::INTEGER AS threshold_days
), restructured AS (
    SELECT loan_id
    FROM raw__loan
    WHERE restructured_on IS NOT NULL
), told AS (
    SELECT COUNT(*) > 0 AS is_told
    FROM restructured
), open_loan AS (
    SELECT
        l.closing_date,
        l.product_code,
        l.currency,
        l.status_code = 'active' AS is_active,
        l.past_due_days,
        l.past_due_minor,
        l.outstanding_principal_minor,
        r.loan_id IS NOT NULL AS is_restructured
    FROM core__loan_delinquency_daily AS l
    LEFT JOIN restructured AS r ON l.loan_id = r.loan_id
    WHERE l.is_open
), measured AS (
    SELECT
        t.threshold_days,
        l.product_code,
        l.currency,
        ANY_VALUE(l.closing_date) AS closing_date,
        COUNT(*) FILTER (WHERE l.is_active) AS loans,
        SUM(l.outstanding_principal_minor) FILTER (WHERE l.is_active) AS denominator_minor,
        SUM(l.past_due_minor) FILTER (WHERE l.is_active) AS arrears_minor,
        COUNT(*) FILTER (WHERE l.is_active AND l.past_due_days > t.threshold_days) AS at_risk_loans,
        SUM(l.outstanding_principal_minor) FILTER (WHERE l.is_active AND l.past_due_days > t.threshold_days)
            AS numerator_minor,
        COUNT(*) FILTER (WHERE l.is_active AND l.is_restructured AND l.past_due_days <= t.threshold_days)
            AS restructured_loans,
        SUM(l.outstanding_principal_minor)
        FILTER (WHERE l.is_active AND l.is_restructured AND l.past_due_days <= t.threshold_days)
            AS restructured_minor,
        COUNT(*) FILTER (WHERE NOT l.is_active) AS charged_off_loans,
        SUM(l.outstanding_principal_minor) FILTER (WHERE NOT l.is_active) AS charged_off_minor
    FROM open_loan AS l CROSS JOIN threshold AS t
    GROUP BY t.threshold_days, l.product_code, l.currency
)
SELECT
    m.closing_date::DATE AS closing_date,
    m.threshold_days::INTEGER AS threshold_days,
    m.product_code::VARCHAR AS product_code,
    m.currency::VARCHAR AS currency,
    m.at_risk_loans::BIGINT AS at_risk_loans,
    COALESCE(m.numerator_minor, 0)::BIGINT AS numerator_minor,
    m.loans::BIGINT AS loans,
    COALESCE(m.denominator_minor, 0)::BIGINT AS denominator_minor,
    CASE WHEN told.is_told THEN m.restructured_loans END::BIGINT AS restructured_loans,
    CASE WHEN told.is_told THEN COALESCE(m.restructured_minor, 0) END::BIGINT AS restructured_minor,
    m.charged_off_loans::BIGINT AS charged_off_loans,
    COALESCE(m.charged_off_minor, 0)::BIGINT AS charged_off_minor,
    COALESCE(m.arrears_minor, 0)::BIGINT AS arrears_minor
FROM measured AS m CROSS JOIN told
