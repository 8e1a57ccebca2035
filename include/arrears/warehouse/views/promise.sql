-- Promises to pay: open ones on every date, the others on the date on which they became what they are. The newest row
-- of a promise says what holds: money that is reversed re-opens or breaks what it had kept.
-- Grain: one row per portfolio, business date, promise and part.
-- Of: mart.fct_promise_daily
SELECT
    portfolio,
    business_date,
    promise_id,
    seq,
    source_code,
    loan_ids,
    agent_id,
    channel_code,
    product_code,
    bucket,
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
