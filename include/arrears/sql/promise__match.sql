-- Grain: promise_id x seq x source_code: what was paid of it in time, first in, first out: the part due first takes the
-- earliest money of its window, the next part what is left. One step of the recursion is one part of every borrower.
-- Rules: ARR-PTP-01. Set-based twin of rules/promises.py (outcomes). Inputs: promise_part, promise_credit.
-- Parameters: grace_days.
WITH RECURSIVE ranked AS (
    SELECT
        borrower_id,
        promise_id,
        seq,
        source_code,
        loan_ids,
        amount_minor,
        made_on,
        LEAST(due_on + $grace_days::INTEGER, COALESCE(cancelled_on, DATE '9999-12-31')) AS until_on,
        ROW_NUMBER() OVER (PARTITION BY borrower_id ORDER BY due_on, made_on, promise_id, seq, source_code) AS part_rank
    FROM promise_part
), walk AS (
    SELECT
        borrower_id,
        loan_id,
        credit_id,
        credited_on,
        amount_minor AS left_minor,
        0::BIGINT AS taken_minor,
        0::BIGINT AS part_rank
    FROM promise_credit
    UNION ALL
    SELECT
        borrower_id,
        loan_id,
        credit_id,
        credited_on,
        left_minor - taken_minor AS left_minor,
        taken_minor,
        part_rank
    FROM (
        SELECT
            *,
            LEAST(
                met_minor, GREATEST(0, amount_minor - COALESCE(SUM(met_minor) OVER earlier, 0))
            )::BIGINT AS taken_minor
        FROM (
            SELECT
                walk.borrower_id,
                walk.loan_id,
                walk.credit_id,
                walk.credited_on,
                walk.left_minor,
                ranked.part_rank,
                ranked.amount_minor,
                CASE
                    WHEN walk.credited_on NOT BETWEEN ranked.made_on AND ranked.until_on THEN 0
                    WHEN LIST_CONTAINS(ranked.loan_ids, walk.loan_id) THEN walk.left_minor
                    ELSE 0
                END AS met_minor
            FROM walk
            INNER JOIN ranked ON walk.borrower_id = ranked.borrower_id AND walk.part_rank + 1 = ranked.part_rank
        ) AS meeting
        WINDOW earlier AS (
            PARTITION BY borrower_id
            ORDER BY credited_on, credit_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        )
    ) AS step
), matched AS (
    SELECT
        borrower_id,
        part_rank,
        SUM(taken_minor) AS matched_minor
    FROM walk
    GROUP BY borrower_id, part_rank
)
SELECT
    ranked.promise_id::VARCHAR AS promise_id,
    ranked.seq::INTEGER AS seq,
    ranked.source_code::VARCHAR AS source_code,
    COALESCE(matched.matched_minor, 0)::BIGINT AS matched_minor
FROM ranked
LEFT JOIN matched ON ranked.borrower_id = matched.borrower_id AND ranked.part_rank = matched.part_rank
