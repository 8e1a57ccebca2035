-- Grain: loan under a promise that is open at the close; is_plan when one of them is in several parts.
-- Rules: ARR-CAS-05. Inputs: core__promise_daily.
WITH part AS (
    SELECT
        UNNEST(STRING_SPLIT(loan_ids, ',')) AS loan_id,
        COUNT(*) OVER (PARTITION BY promise_id, source_code) > 1 AS is_plan,
        due_on,
        state_code
    FROM core__promise_daily
)
SELECT
    loan_id::VARCHAR AS loan_id,
    BOOL_OR(is_plan) AS is_plan,
    MIN(due_on)::DATE AS due_on
FROM part
WHERE state_code = 'open'
GROUP BY loan_id
