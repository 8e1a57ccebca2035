-- Grain: case whose step the day before left to be taken: blocked on every channel, or planned in vain.
-- Rules: ARR-STR-01. Inputs: previous__plan, missed_step.
SELECT
    case_id,
    step_key
FROM previous__plan
WHERE state_code = 'blocked' OR step_key IN (SELECT missed_step.step_key FROM missed_step)
