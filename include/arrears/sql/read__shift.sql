-- Grain: agent on shift on the day. Inputs: raw__agent_shift.
SELECT agent_id, queue_ids, languages, productive_minutes
FROM raw__agent_shift
WHERE shift_on = $business_date
