-- Contacts of the day by channel: planned, or blocked on every channel of their step.
-- Grain: one row per state, channel and purpose.
SELECT
    state_code,
    channel_code,
    purpose_code,
    COUNT(*) AS contacts
FROM bi.contact_plan_daily
WHERE portfolio = $portfolio AND business_date = $business_date
GROUP BY state_code, channel_code, purpose_code
ORDER BY state_code DESC, contacts DESC, channel_code ASC, purpose_code ASC
