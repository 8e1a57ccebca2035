-- Payments that are under way, failed or booked, by whoever sees them first. One whose state is initiated or pending
-- stops chasing until valid_until_at.
-- Grain: one row per report of a payment.
-- Of: ops.feedback_event
-- loan_id: Loan it is for
-- amount_minor: Amount in minor units
-- currency: ISO 4217 code
-- initiated_at: When the payer began it
-- expected_on: Date on which it should be booked; NULL: the source does not say
-- valid_until_at: First instant at which it no longer counts as under way
-- state_code: initiated, pending, failed or booked
-- payment_channel_code: How it is paid; NULL: the source does not say
SELECT
    event_id,
    portfolio,
    source_ref,
    party_id,
    loan_ids[1] AS loan_id,
    (detail ->> 'amount_minor')::BIGINT AS amount_minor,
    detail ->> 'currency' AS currency,
    occurred_at AS initiated_at,
    (detail ->> 'expected_on')::DATE AS expected_on,
    (detail ->> 'valid_until_at')::TIMESTAMPTZ AS valid_until_at,
    detail ->> 'state_code' AS state_code,
    detail ->> 'payment_channel_code' AS payment_channel_code,
    received_at
FROM ops.feedback
WHERE kind_code = 'payment_notice'
