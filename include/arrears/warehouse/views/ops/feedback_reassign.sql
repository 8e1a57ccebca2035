-- Whom supervisors have named for a borrower's or a loan's case, whatever the day's assignment would have been.
-- Grain: one row per override and loan it is about; one per override where it is about a person.
-- Of: ops.feedback_event
-- loan_id: Loan it is about; NULL when it is about the person
-- to_agent_id: The agent who is to have the case [pseudonym]
-- made_at: When it was decided
-- starts_at: First instant
-- ends_at: First instant after it (half-open); NULL while it lasts
SELECT
    override.event_id,
    override.portfolio,
    override.party_id,
    about.loan_id,
    override.author_id,
    override.detail ->> 'agent_id' AS to_agent_id,
    override.occurred_at AS made_at,
    COALESCE((override.detail ->> 'starts_at')::TIMESTAMPTZ, override.occurred_at) AS starts_at,
    (override.detail ->> 'ends_at')::TIMESTAMPTZ AS ends_at,
    override.received_at
FROM ops.feedback AS override
LEFT JOIN LATERAL UNNEST(override.loan_ids) AS about (loan_id) ON TRUE
WHERE override.kind_code = 'override' AND override.detail ->> 'action_code' = 'reassign'
