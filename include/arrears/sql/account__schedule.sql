-- Grain: loan_id x seq: the schedule with due dates moved by deferrals; made only where a loan has one.
-- Rules: ARR-AGE-12. Set-based twin of rules/pauses.py (deferred). Inputs: raw__instalment, raw__pause.
-- Parameters: $counted_until.
-- Deferrals of a loan, merged, move a due date if it reaches their first day by what those before moved it.
WITH deferral AS (
    SELECT
        loan_id,
        starts_on,
        COALESCE(ends_on, GREATEST($counted_until, starts_on)) AS ends_on
    FROM raw__pause
    WHERE effect_code = 'deferral' AND (ends_on IS NULL OR ends_on > starts_on)
), stepped AS (
    SELECT
        *,
        COALESCE(
            starts_on > MAX(ends_on) OVER (
                PARTITION BY loan_id ORDER BY starts_on, ends_on ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ), TRUE
        ) AS begins
    FROM deferral
), numbered AS (
    SELECT
        *,
        SUM(CASE WHEN begins THEN 1 ELSE 0 END) OVER (
            PARTITION BY loan_id ORDER BY starts_on, ends_on ROWS UNBOUNDED PRECEDING
        ) AS span
    FROM stepped
), merged AS (
    SELECT
        loan_id,
        span,
        MIN(starts_on) AS starts_on,
        DATE_DIFF('day', MIN(starts_on), MAX(ends_on)) AS moved_days
    FROM numbered
    GROUP BY loan_id, span
), move AS (
    SELECT
        loan_id,
        moved_days,
        starts_on - COALESCE(
            SUM(moved_days) OVER (
                PARTITION BY loan_id ORDER BY starts_on ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ), 0
        )::INTEGER AS due_from
    FROM merged
), moved AS (
    SELECT
        i.loan_id,
        i.seq,
        SUM(m.moved_days) AS moved_days
    FROM raw__instalment AS i
    INNER JOIN move AS m ON i.loan_id = m.loan_id AND i.due_on >= m.due_from
    GROUP BY i.loan_id, i.seq
)
SELECT
    i.loan_id::VARCHAR AS loan_id,
    i.seq::INTEGER AS seq,
    (i.due_on + COALESCE(m.moved_days, 0)::INTEGER)::DATE AS due_on,
    i.principal_minor::BIGINT AS principal_minor,
    i.interest_minor::BIGINT AS interest_minor,
    i.fee_minor::BIGINT AS fee_minor,
    i.penalty_minor::BIGINT AS penalty_minor,
    i.kind_code::VARCHAR AS kind_code
FROM raw__instalment AS i
LEFT JOIN moved AS m ON i.loan_id = m.loan_id AND i.seq = m.seq
