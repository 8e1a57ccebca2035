-- Promises to pay: open ones on every date, the others on the date on which they became what they are. The newest row
-- of a promise says what holds: money that is reversed re-opens or breaks what it had kept.
-- Grain: one row per portfolio, business date, promise and part.
-- Of: mart.fct_promise_daily
-- agent_id: Agent to whom it was made, the source's own pseudonym; unknown: a machine, or not said [pseudonym]
-- channel_code: Channel on which it was made; unknown: not said
-- bucket: Contract bucket of its worst loan when it was first seen; unknown: not there
SELECT
    portfolio,
    business_date,
    promise_id,
    seq,
    source_code,
    loan_ids,
    COALESCE(agent_id, 'unknown') AS agent_id,
    COALESCE(channel_code, 'unknown') AS channel_code,
    product_code,
    COALESCE(bucket, 'unknown') AS bucket,
    made_at,
    due_on,
    deadline_on,
    cancelled_on,
    currency,
    amount_minor,
    matched_minor,
    state_code,
    since_on
FROM mart.fct_promise_daily
