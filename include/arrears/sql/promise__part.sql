-- Grain: promise_id x seq x source_code: what was promised by one day, by the ledger or by feedback. Sources number
-- for themselves; what feedback says of a promise replaces what the ledger says of it under the same number and of one
-- of the same loans. A promise of loans that nobody knows is left out.
-- Rules: ARR-PTP-01. Inputs: raw__promise, feedback_promise (as known when the day was cut),
-- core__loan_delinquency_daily, raw__contact.
-- Parameters: zone, day_end.
WITH reported AS (
    SELECT
        promise_id,
        seq,
        source_code,
        loan_ids,
        agent_id,
        channel_code,
        contact_id,
        made_at,
        due_on,
        currency,
        amount_minor,
        cancelled_at
    FROM feedback_promise
    UNION ALL
    SELECT
        promise.promise_id,
        promise.seq,
        'ledger' AS source_code,
        STRING_SPLIT(promise.loan_ids, ',') AS loan_ids,
        promise.agent_id,
        contact.channel_code,
        promise.contact_id,
        promise.made_at,
        promise.due_on,
        promise.currency,
        promise.amount_minor,
        promise.cancelled_at
    FROM raw__promise AS promise
    LEFT JOIN raw__contact AS contact ON promise.contact_id = contact.contact_id
    ANTI JOIN feedback_promise AS said
        ON
            promise.promise_id = said.promise_id
            AND LIST_HAS_ANY(said.loan_ids, STRING_SPLIT(promise.loan_ids, ','))
), owner AS (
    SELECT
        reported.promise_id,
        reported.seq,
        reported.source_code,
        MIN(loan.borrower_id) AS borrower_id,
        MIN(loan.product_code) AS product_code
    FROM reported
    INNER JOIN core__loan_delinquency_daily AS loan ON LIST_CONTAINS(reported.loan_ids, loan.loan_id)
    GROUP BY reported.promise_id, reported.seq, reported.source_code
), dated AS (
    SELECT
        reported.*,
        owner.borrower_id,
        owner.product_code,
        TIMEZONE($zone, reported.made_at)::DATE AS made_on,
        TIMEZONE($zone, reported.cancelled_at)::DATE AS cancelled_on
    FROM reported
    INNER JOIN owner
        ON
            reported.promise_id = owner.promise_id
            AND reported.seq = owner.seq
            AND reported.source_code = owner.source_code
    WHERE reported.made_at < $day_end
)
SELECT
    promise_id::VARCHAR AS promise_id,
    seq::INTEGER AS seq,
    source_code::VARCHAR AS source_code,
    borrower_id::VARCHAR AS borrower_id,
    product_code::VARCHAR AS product_code,
    loan_ids::VARCHAR[] AS loan_ids,
    agent_id::VARCHAR AS agent_id,
    channel_code::VARCHAR AS channel_code,
    contact_id::VARCHAR AS contact_id,
    made_at::TIMESTAMPTZ AS made_at,
    made_on::DATE AS made_on,
    GREATEST(due_on, made_on)::DATE AS due_on,
    currency::VARCHAR AS currency,
    amount_minor::BIGINT AS amount_minor,
    CASE WHEN cancelled_at < $day_end THEN GREATEST(cancelled_on, made_on) END::DATE AS cancelled_on
FROM dated
