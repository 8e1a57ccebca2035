-- Agents on shift on the day that is worked; the roster is published before it.
SELECT
    agent_no AS agent_id,
    shift_on,
    queues AS queue_ids,
    languages,
    productive_minutes
FROM core_banking.agent_roster
WHERE shift_on = :business_date
