-- Contacts that were made about a case, as they became known over the last fourteen business dates.
-- Grain: one row per contact, newest first, at most 120.
SELECT
    started_at,
    channel_code,
    direction_code AS contact_direction_code,
    purpose_code,
    outcome_code,
    is_connected,
    right_party,
    agent_id
FROM bi.contact_attempt
WHERE
    portfolio = $portfolio
    AND case_id = $case_id
    AND business_date > CAST($business_date AS date) - 14
    AND business_date <= $business_date
ORDER BY started_at DESC, contact_id ASC
LIMIT 120
