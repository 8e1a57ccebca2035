-- Grain: queue. Open cases, what they take and what today's agents have.
-- Rules: ARR-MET-06. Inputs: out__assignment_daily, core__case_daily, raw__queue, raw__agent_shift,
-- previous__assignment (empty on the first day).
WITH stood AS (
    SELECT
        COALESCE(a.queue_id, p.queue_id) AS queue_id,
        COUNT(*) FILTER (WHERE a.case_id IS NOT NULL AND p.case_id IS NOT NULL) AS carried_cases,
        COUNT(*) FILTER (WHERE p.case_id IS NULL) AS entered_cases,
        COUNT(*) FILTER (WHERE a.case_id IS NULL) AS left_cases
    FROM out__assignment_daily AS a
    FULL OUTER JOIN previous__assignment AS p ON a.case_id = p.case_id AND a.queue_id = p.queue_id
    GROUP BY COALESCE(a.queue_id, p.queue_id)
), load AS (
    SELECT
        a.queue_id,
        COUNT(*) AS open_cases,
        COUNT(*) FILTER (WHERE a.is_assigned) AS assigned_cases,
        COUNT(*) FILTER (WHERE a.reason_code LIKE 'overflow%' OR a.reason_code = 'no_queue') AS overflow_cases,
        COUNT(*) FILTER (WHERE a.reason_code = 'held') AS held_cases,
        SUM(a.required_minutes) AS required_minutes,
        SUM(c.past_due_minor) AS past_due_minor
    FROM out__assignment_daily AS a
    INNER JOIN core__case_daily AS c ON a.case_id = c.case_id
    GROUP BY a.queue_id
), agent_queue AS (
    SELECT TRIM(UNNEST(STRING_SPLIT(queue_ids, ','))) AS queue_id, productive_minutes
    FROM raw__agent_shift
    WHERE shift_on = $business_date
), supply AS (
    SELECT queue_id, SUM(productive_minutes) AS available_minutes
    FROM agent_queue
    GROUP BY queue_id
), known_queue AS (
    SELECT queue_id FROM raw__queue
    UNION
    SELECT queue_id FROM stood
)
SELECT
    q.queue_id::VARCHAR AS queue_id,
    COALESCE(l.open_cases, 0)::BIGINT AS open_cases,
    COALESCE(l.assigned_cases, 0)::BIGINT AS assigned_cases,
    COALESCE(l.overflow_cases, 0)::BIGINT AS overflow_cases,
    COALESCE(l.held_cases, 0)::BIGINT AS held_cases,
    COALESCE(l.required_minutes, 0)::BIGINT AS required_minutes,
    CASE WHEN $has_shifts THEN COALESCE(s.available_minutes, 0) END::BIGINT AS available_minutes,
    COALESCE(l.past_due_minor, 0)::BIGINT AS past_due_minor,
    COALESCE(t.carried_cases, 0)::BIGINT AS carried_cases,
    COALESCE(t.entered_cases, 0)::BIGINT AS entered_cases,
    COALESCE(t.left_cases, 0)::BIGINT AS left_cases
FROM known_queue AS q
LEFT JOIN load AS l ON q.queue_id = l.queue_id
LEFT JOIN supply AS s ON q.queue_id = s.queue_id
LEFT JOIN stood AS t ON q.queue_id = t.queue_id
