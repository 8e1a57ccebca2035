-- What supervisors decided by hand: another agent, a pause, a channel barred, with author and reason.
-- Grain: one row per portfolio, source and override that stands.
-- Of: ops.feedback_event
-- loan_ids: Loans it is about, comma separated; empty: the person
-- agent_id: Who decided [pseudonym]
-- action_code: reassign, pause, bar_channel or take_over
-- reason_code: Why
-- to_agent_id: Of reassign: to whom [pseudonym]
-- channel_code: Of bar_channel: which
-- ends_at: First instant after it; NULL while it lasts
SELECT
    portfolio,
    source_code,
    source_ref,
    ARRAY_TO_STRING(loan_ids, ',') AS loan_ids,
    author_id AS agent_id,
    detail ->> 'action_code' AS action_code,
    detail ->> 'reason_code' AS reason_code,
    detail ->> 'agent_id' AS to_agent_id,
    detail ->> 'channel_code' AS channel_code,
    occurred_at,
    received_at,
    (detail ->> 'ends_at')::TIMESTAMPTZ AS ends_at
FROM ops.feedback
WHERE kind_code = 'override'
