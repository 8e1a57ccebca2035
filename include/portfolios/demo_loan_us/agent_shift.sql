-- Agents on shift on the day that is worked; the roster is published before it.
SELECT
    agent_id,
    shift_on,
    queue_ids,
    languages,
    productive_minutes,
    source_file,
    source_line
FROM agent_shift
