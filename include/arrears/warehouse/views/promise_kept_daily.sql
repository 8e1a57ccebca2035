-- Promises whose last day closed, and how many were kept, by agent, channel and segment; sums over dates give the rate
-- of a period. Open and cancelled promises are not due.
-- Grain: one row per portfolio, business date, agent, channel, bucket, product and currency.
-- Of: mart.fct_promise_total_daily
-- agent_id: Agent to whom it was made, the source's own pseudonym; unknown: a machine, or not said [pseudonym]
-- channel_code: Channel on which it was made; unknown: not said
-- bucket: Contract bucket of its worst loan when it was first seen; unknown: not there
-- kept_ratio: kept_promises / due_promises
-- kept_amount_ratio: kept_minor / due_minor
-- paid_amount_ratio: paid_minor / due_minor, partial payments counted
SELECT
    portfolio,
    business_date,
    COALESCE(NULLIF(agent_id, ''), 'unknown') AS agent_id,
    COALESCE(NULLIF(channel_code, ''), 'unknown') AS channel_code,
    COALESCE(NULLIF(bucket, ''), 'unknown') AS bucket,
    product_code,
    currency,
    due_promises,
    kept_promises,
    part_kept_promises,
    broken_promises,
    due_minor,
    kept_minor,
    paid_minor,
    ROUND(kept_promises::NUMERIC / NULLIF(due_promises, 0), 4) AS kept_ratio,
    ROUND(kept_minor::NUMERIC / NULLIF(due_minor, 0), 4) AS kept_amount_ratio,
    ROUND(paid_minor::NUMERIC / NULLIF(due_minor, 0), 4) AS paid_amount_ratio
FROM mart.fct_promise_total_daily
