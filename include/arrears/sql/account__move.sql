-- Grain: loan_id x move_number: a step of a replay: one entry, or, in plain waterfalls, all payments
-- between two others.
-- Rules: ARR-AGE-04. Inputs: account_entry. Parameters: $is_plain (the order of payments does not matter).
WITH numbered AS (
    SELECT
        *,
        SUM(is_adding::INTEGER) OVER (
            PARTITION BY loan_id ORDER BY entry_number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS added_before
    FROM account_entry
), placed AS (
    SELECT
        *,
        CASE
            WHEN NOT is_adding THEN 'payment' WHEN kind_code = 'charge' THEN 'charge' ELSE 'credit'
        END AS move_code,
        CASE
            WHEN $is_plain
                THEN DENSE_RANK() OVER (PARTITION BY loan_id ORDER BY COALESCE(added_before, 0), is_adding)
            ELSE entry_number
        END AS move_number
    FROM numbered
)
SELECT
    loan_id::VARCHAR AS loan_id,
    move_number::INTEGER AS move_number,
    move_code::VARCHAR AS move_code,
    MIN(kind_code)::VARCHAR AS kind_code,
    MIN(effective_on)::DATE AS effective_on,
    SUM(amount_minor)::BIGINT AS amount_minor,
    MIN(to_seq)::INTEGER AS to_seq,
    MIN(to_component)::VARCHAR AS to_component,
    (MAX(move_number) OVER (PARTITION BY loan_id))::INTEGER AS moves
FROM placed
GROUP BY loan_id, move_number, is_adding, move_code
