-- Grain: promise_id x seq x source_code: one amount promised by one day, and what became of it by the close.
-- Rules: ARR-PTP-01. Set-based twin of rules/promises.py (outcomes).
-- Inputs: promise_part, promise_match, core__loan_delinquency_daily, previous__promise.
-- Parameters: business_date, closing_date, grace_days, tolerance_minor.
WITH judged AS (
    SELECT
        part.*,
        found.matched_minor,
        part.due_on + $grace_days::INTEGER AS deadline_on,
        found.matched_minor >= GREATEST(1, part.amount_minor - $tolerance_minor) AS is_kept
    FROM promise_part AS part
    INNER JOIN promise_match AS found
        ON part.promise_id = found.promise_id AND part.seq = found.seq AND part.source_code = found.source_code
), stated AS (
    SELECT
        *,
        CASE
            WHEN is_kept THEN 'kept'
            WHEN cancelled_on <= deadline_on THEN 'cancelled'
            WHEN $closing_date < deadline_on THEN 'open'
            WHEN matched_minor > 0 THEN 'part_kept'
            ELSE 'broken'
        END AS state_code
    FROM judged
), worst AS (
    SELECT
        stated.promise_id,
        stated.seq,
        stated.source_code,
        ARG_MAX(loan.contract_bucket, loan.past_due_days) AS bucket
    FROM stated
    INNER JOIN core__loan_delinquency_daily AS loan ON LIST_CONTAINS(stated.loan_ids, loan.loan_id)
    GROUP BY stated.promise_id, stated.seq, stated.source_code
)
SELECT
    stated.promise_id::VARCHAR AS promise_id,
    stated.seq::INTEGER AS seq,
    stated.source_code::VARCHAR AS source_code,
    stated.borrower_id::VARCHAR AS borrower_id,
    ARRAY_TO_STRING(stated.loan_ids, ',')::VARCHAR AS loan_ids,
    stated.agent_id::VARCHAR AS agent_id,
    stated.channel_code::VARCHAR AS channel_code,
    stated.contact_id::VARCHAR AS contact_id,
    stated.product_code::VARCHAR AS product_code,
    COALESCE(earlier.bucket, worst.bucket)::VARCHAR AS bucket,
    stated.made_at::TIMESTAMPTZ AS made_at,
    stated.made_on::DATE AS made_on,
    stated.due_on::DATE AS due_on,
    stated.deadline_on::DATE AS deadline_on,
    stated.cancelled_on::DATE AS cancelled_on,
    stated.currency::VARCHAR AS currency,
    stated.amount_minor::BIGINT AS amount_minor,
    stated.matched_minor::BIGINT AS matched_minor,
    stated.state_code::VARCHAR AS state_code,
    CASE WHEN earlier.state_code = stated.state_code THEN earlier.since_on ELSE $business_date END::DATE AS since_on
FROM stated
LEFT JOIN worst
    ON
        stated.promise_id = worst.promise_id
        AND stated.seq = worst.seq
        AND stated.source_code = worst.source_code
LEFT JOIN previous__promise AS earlier
    ON
        stated.promise_id = earlier.promise_id
        AND stated.seq = earlier.seq
        AND stated.source_code = earlier.source_code
