-- Promises to pay as reported, part by part: a promise in instalments has several, another one.
-- Grain: one row per promise and part.
-- Of: ops.feedback_event
-- promise_id: The source's identifier of the promise
-- seq: Number of the part, from 1
-- agent_id: Agent to whom it was made; NULL: a machine, or not said [pseudonym]
-- contact_id: Contact in which it was made; NULL: not said
-- made_at: When it was made
-- amount_minor: Promised in this part, in minor units
-- currency: ISO 4217 code
-- due_on: Date by which this part is promised, in the portfolio's zone
-- channel_code: Channel on which it was made; NULL: the source does not say
-- cancelled_at: Since when it no longer stands; NULL: it does
-- cancel_reason_code: Why it was cancelled
SELECT
    promise.event_id,
    promise.portfolio,
    promise.source_code,
    promise.source_ref AS promise_id,
    part.ordinal::INTEGER AS seq,
    promise.person_id,
    promise.party_id,
    promise.loan_ids,
    promise.author_id AS agent_id,
    promise.detail ->> 'contact_ref' AS contact_id,
    promise.occurred_at AS made_at,
    (part.value ->> 'amount_minor')::BIGINT AS amount_minor,
    promise.detail ->> 'currency' AS currency,
    (part.value ->> 'due_on')::DATE AS due_on,
    promise.detail ->> 'channel_code' AS channel_code,
    (promise.detail ->> 'cancelled_at')::TIMESTAMPTZ AS cancelled_at,
    promise.detail ->> 'cancel_reason_code' AS cancel_reason_code,
    promise.received_at
FROM ops.feedback AS promise
CROSS JOIN LATERAL JSONB_ARRAY_ELEMENTS(promise.detail -> 'parts') WITH ORDINALITY AS part (value, ordinal)
WHERE promise.kind_code = 'promise'
