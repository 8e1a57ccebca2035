-- Grain: loan_id: ever past due on a published day.
-- Rules: ARR-MET-09. Inputs: core__loan_delinquency_daily, previous__ever_past_due (empty on the first day).
WITH seen AS (
    SELECT loan_id, ever_past_due_days AS past_due_days
    FROM previous__ever_past_due
    UNION ALL
    SELECT loan_id, past_due_days
    FROM core__loan_delinquency_daily
    WHERE past_due_days > 0
)
SELECT
    loan_id::VARCHAR AS loan_id,
    MAX(past_due_days)::INTEGER AS ever_past_due_days
FROM seen
GROUP BY loan_id
