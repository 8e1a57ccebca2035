-- Grain: loan_id x seq x component_code: the account after its move of that number.
-- Rules: ARR-AGE-04. Set-based twin of rules/allocation.py (_add, _pay).
-- Inputs: account_state, account_move, waterfall (kind_code, timing, component_code, component_rank, is_vertical,
-- prepays). Parameters: $move_number, $is_plain.
-- A payment pours over the unpaid cells in the waterfall's order: each takes what those before it have left. What is
-- over is kept as overpaid; with even parts in advance it waits in left_minor for account__even.sql.
WITH cell AS (
    SELECT
        s.*,
        m.move_code,
        m.amount_minor,
        s.seq = m.to_seq AND s.component_code = m.to_component AS is_taker,
        s.owed_minor - s.paid_minor AS unpaid_minor,
        CASE
            WHEN $is_plain OR s.due_on < m.effective_on THEN 'past_due'
            WHEN s.due_on = m.effective_on THEN 'due'
            ELSE 'in_advance'
        END AS due_code,
        m.kind_code
    FROM account_state AS s
    INNER JOIN account_move AS m ON s.loan_id = m.loan_id
    WHERE m.move_number = $move_number
), ranked AS (
    SELECT
        c.*,
        w.component_rank,
        w.is_vertical,
        c.due_code = 'in_advance' AND w.prepays = 'last' AS is_backwards,
        c.due_code = 'in_advance' AND w.prepays = 'reamortise' AS is_even,
        w.prepays = 'reamortise' AS has_even,
        CASE c.due_code WHEN 'past_due' THEN 1 WHEN 'due' THEN 2 ELSE 3 END AS timing_rank,
        DATE_DIFF('day', DATE '1970-01-01', c.due_on) AS due_day
    FROM cell AS c
    INNER JOIN waterfall AS w
        ON c.kind_code = w.kind_code AND c.due_code = w.timing AND c.component_code = w.component_code
), poured AS (
    SELECT
        *,
        amount_minor - COALESCE(
            SUM(CASE WHEN is_even THEN 0 ELSE unpaid_minor END) OVER (
                PARTITION BY loan_id
                ORDER BY
                    timing_rank,
                    CASE WHEN is_vertical THEN component_rank ELSE 0 END,
                    CASE WHEN is_backwards THEN -due_day ELSE due_day END,
                    CASE WHEN is_backwards THEN -seq ELSE seq END,
                    component_rank
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ), 0
        ) AS left_here_minor,
        GREATEST(
            0, amount_minor - SUM(CASE WHEN is_even THEN 0 ELSE unpaid_minor END) OVER (PARTITION BY loan_id)
        ) AS rest_minor,
        LEAST(amount_minor, overpaid_minor) AS used_minor
    FROM ranked
)
SELECT
    loan_id::VARCHAR AS loan_id,
    seq::INTEGER AS seq,
    due_on::DATE AS due_on,
    component_code::VARCHAR AS component_code,
    (
        owed_minor
        + CASE
            WHEN NOT is_taker OR move_code = 'payment' THEN 0
            WHEN move_code = 'charge' THEN amount_minor
            ELSE amount_minor - used_minor
        END
    )::BIGINT AS owed_minor,
    (
        paid_minor
        + CASE
            WHEN move_code = 'payment' AND NOT is_even THEN GREATEST(0, LEAST(unpaid_minor, left_here_minor))
            WHEN move_code = 'charge' AND is_taker THEN used_minor
            ELSE 0
        END
    )::BIGINT AS paid_minor,
    CASE
        WHEN move_code <> 'payment' THEN overpaid_minor - used_minor
        WHEN has_even THEN overpaid_minor
        ELSE overpaid_minor + rest_minor
    END::BIGINT AS overpaid_minor,
    CASE WHEN move_code = 'payment' AND has_even THEN rest_minor ELSE 0 END::BIGINT AS left_minor,
    moves::INTEGER AS moves
FROM poured
