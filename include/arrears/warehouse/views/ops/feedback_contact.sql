-- Contacts reported back, by agents, diallers, bots, gateways and agencies: every cap counts them.
-- Grain: one row per report of a contact.
-- Of: ops.feedback_event
-- channel_code: Channel used
-- direction_code: Who began: out or in
-- purpose_code: collection, service or reminder
-- started_at: Instant of the attempt
-- outcome_code: What came of it, in the ledger's codes of raw__contact
-- right_party_code: Whether it was the borrower: yes, no, unknown
-- talk_seconds: Seconds of conversation; NULL: the source does not say
SELECT
    event_id,
    portfolio,
    source_code,
    source_ref,
    person_id,
    party_id,
    contact_point_id,
    loan_ids,
    author_id,
    detail ->> 'channel_code' AS channel_code,
    detail ->> 'direction_code' AS direction_code,
    detail ->> 'purpose_code' AS purpose_code,
    occurred_at AS started_at,
    detail ->> 'outcome_code' AS outcome_code,
    detail ->> 'right_party_code' AS right_party_code,
    (detail ->> 'talk_seconds')::INTEGER AS talk_seconds,
    received_at
FROM ops.feedback
WHERE kind_code = 'contact'
