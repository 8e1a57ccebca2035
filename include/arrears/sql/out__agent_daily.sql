-- Grain: agent on shift today, or with a case assigned, an attempt known today or cash credited today.
-- Rules: ARR-MET-15. Inputs: raw__agent_shift, out__assignment_daily, out__contact_attempt_daily, raw__contact,
-- out__payment_allocated_daily. Parameters: $has_shifts, $currency.
WITH told AS (
    SELECT COUNT(agent_id) > 0 AS is_agent_told, COUNT(right_party) > 0 AS is_party_told
    FROM raw__contact
), piece AS (
    SELECT
        agent_id,
        productive_minutes,
        0 AS assigned_cases,
        0 AS required_minutes,
        0 AS attempts,
        0 AS right_party_contacts,
        0 AS collected_minor
    FROM raw__agent_shift
    WHERE shift_on = $business_date
    UNION ALL BY NAME
    SELECT
        agent_id,
        1 AS assigned_cases,
        required_minutes
    FROM out__assignment_daily
    WHERE is_assigned AND agent_id IS NOT NULL
    UNION ALL BY NAME
    SELECT
        agent_id,
        1 AS attempts,
        CASE WHEN right_party = 'yes' THEN 1 END AS right_party_contacts
    FROM out__contact_attempt_daily
    WHERE agent_id IS NOT NULL AND direction_code = 'out'
    UNION ALL BY NAME
    SELECT
        credited_agent_id AS agent_id,
        cash_minor AS collected_minor
    FROM out__payment_allocated_daily
    WHERE credited_agent_id IS NOT NULL
), summed AS (
    SELECT
        agent_id,
        COALESCE(SUM(productive_minutes), 0) AS productive_minutes,
        COALESCE(SUM(assigned_cases), 0) AS assigned_cases,
        COALESCE(SUM(required_minutes), 0) AS required_minutes,
        COALESCE(SUM(attempts), 0) AS attempts,
        COALESCE(SUM(right_party_contacts), 0) AS right_party_contacts,
        COALESCE(SUM(collected_minor), 0) AS collected_minor
    FROM piece
    GROUP BY agent_id
)
SELECT
    s.agent_id::VARCHAR AS agent_id,
    CASE WHEN $has_shifts THEN s.productive_minutes END::BIGINT AS productive_minutes,
    s.assigned_cases::BIGINT AS assigned_cases,
    s.required_minutes::BIGINT AS required_minutes,
    CASE WHEN t.is_agent_told THEN s.attempts END::BIGINT AS attempts,
    CASE WHEN t.is_agent_told AND t.is_party_told THEN s.right_party_contacts END::BIGINT AS right_party_contacts,
    CASE WHEN t.is_agent_told AND t.is_party_told THEN s.collected_minor END::BIGINT AS collected_minor,
    $currency::VARCHAR AS currency
FROM summed AS s CROSS JOIN told AS t
