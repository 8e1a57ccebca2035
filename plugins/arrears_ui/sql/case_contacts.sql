-- Contacts planned or blocked for a case, and why.
-- Grain: one row per business date and step, newest first, at most 120.
SELECT
    business_date,
    state_code,
    channel_code,
    purpose_code,
    strategy,
    step_id,
    not_before_at,
    not_after_at,
    reason
FROM bi.contact_plan_daily
WHERE portfolio = $portfolio AND case_id = $case_id AND business_date <= $business_date
ORDER BY business_date DESC, step_id ASC
LIMIT 120
