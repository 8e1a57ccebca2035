-- Contacts planned or blocked today. Borrowers, persons and contact points are left out.
-- Grain: one row per portfolio, business date and case with a step due.
-- Of: mart.fct_contact_plan_daily
SELECT
    portfolio,
    business_date,
    case_id,
    step_id,
    step_key,
    state_code,
    channel_code,
    purpose_code,
    template_code,
    language,
    strategy,
    segment_id,
    arm_code,
    past_due_minor,
    not_before_at,
    not_after_at,
    reason
FROM mart.fct_contact_plan_daily
