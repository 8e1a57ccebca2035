-- Grain: one row. The day at a glance, every figure from the table that owns it.
-- Rules: ARR-MET-07. Inputs: core__loan_delinquency_daily, core__delinquency_event_daily, core__case_daily,
-- out__assignment_daily, out__contact_plan_daily, out__quarantine, out__par_daily, cash, raw__cost.
-- Parameters: $currency, $compared_with, $rows_delivered, $rows_accepted, $has_costs.
WITH loan AS (
    SELECT
        COUNT(*) AS loans,
        COUNT(*) FILTER (WHERE past_due_days > 0) AS past_due_loans,
        SUM(past_due_minor) AS past_due_minor
    FROM core__loan_delinquency_daily
    WHERE is_open
), event AS (
    SELECT
        COUNT(*) FILTER (WHERE event_code = 'newly_overdue') AS newly_overdue_loans,
        COUNT(*) FILTER (WHERE event_code IN ('cured', 'paid_off')) AS cured_loans
    FROM core__delinquency_event_daily
), open_case AS (
    SELECT COUNT(*) AS open_cases
    FROM core__case_daily
    WHERE event_code <> 'closed'
), assigned AS (
    SELECT COUNT(*) AS assigned_cases
    FROM out__assignment_daily
    WHERE is_assigned
), contact_plan AS (
    SELECT
        COUNT(*) FILTER (WHERE state_code = 'planned') AS contacts_planned,
        COUNT(*) FILTER (WHERE state_code = 'blocked') AS contacts_blocked
    FROM out__contact_plan_daily
), rejected AS (
    SELECT COUNT(*) AS rows_quarantined
    FROM (
        SELECT DISTINCT table_name, row_number
        FROM out__quarantine
        WHERE severity_code = 'fail'
    ) AS rejected_row
), par30 AS (
    SELECT
        SUM(numerator_minor) AS numerator_minor,
        SUM(denominator_minor) AS denominator_minor
    FROM out__par_daily
    WHERE threshold_days = 30
), received AS (
    SELECT SUM(cash_minor) AS cash_minor
    FROM cash
), spent AS (
    SELECT SUM(amount_minor) AS cost_minor
    FROM raw__cost
    WHERE cost_on = $closing_date
)
SELECT
    $closing_date::DATE AS closing_date,
    $currency::VARCHAR AS currency,
    loan.loans::BIGINT AS loans,
    loan.past_due_loans::BIGINT AS past_due_loans,
    COALESCE(loan.past_due_minor, 0)::BIGINT AS past_due_minor,
    event.newly_overdue_loans::BIGINT AS newly_overdue_loans,
    event.cured_loans::BIGINT AS cured_loans,
    open_case.open_cases::BIGINT AS open_cases,
    assigned.assigned_cases::BIGINT AS assigned_cases,
    contact_plan.contacts_planned::BIGINT AS contacts_planned,
    contact_plan.contacts_blocked::BIGINT AS contacts_blocked,
    rejected.rows_quarantined::BIGINT AS rows_quarantined,
    COALESCE(par30.numerator_minor, 0)::BIGINT AS par30_numerator_minor,
    COALESCE(par30.denominator_minor, 0)::BIGINT AS par30_denominator_minor,
    $compared_with::DATE AS compared_with,
    $rows_delivered::BIGINT AS rows_delivered,
    $rows_accepted::BIGINT AS rows_accepted,
    COALESCE(received.cash_minor, 0)::BIGINT AS cash_total_minor,
    CASE WHEN $has_costs THEN COALESCE(spent.cost_minor, 0) END::BIGINT AS cost_minor
FROM loan, event, open_case, assigned, contact_plan, rejected, par30, received, spent
