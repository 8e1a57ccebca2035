-- Grain: loan_id x seq x component_code: the account after one component took its even parts of what is left.
-- Rules: ARR-AGE-04. Set-based twin of rules/allocation.py (_pay_evenly).
-- Inputs: account_state (accounts at that move), account_move, waterfall. Parameters: $move_number, $component_rank.
WITH cell AS (
    SELECT
        s.*,
        w.component_rank,
        s.due_on > m.effective_on
        AND SUM(s.owed_minor - s.paid_minor) OVER (PARTITION BY s.loan_id, s.seq) > 0 AS is_open
    FROM account_state AS s
    INNER JOIN account_move AS m ON s.loan_id = m.loan_id AND m.move_number = $move_number
    INNER JOIN waterfall AS w
        ON m.kind_code = w.kind_code AND w.timing = 'in_advance' AND s.component_code = w.component_code
), counted AS (
    SELECT
        *,
        SUM(CASE WHEN is_open AND component_rank = $component_rank THEN 1 ELSE 0 END)
            OVER (PARTITION BY loan_id) AS open_rows,
        ROW_NUMBER() OVER (
            PARTITION BY loan_id, component_rank, is_open ORDER BY due_on DESC, seq DESC
        ) AS from_last
    FROM cell
), portioned AS (
    SELECT
        *,
        CASE
            WHEN open_rows = 0 THEN 0
            WHEN 2 * (left_minor % open_rows) + (left_minor // open_rows) % 2 > open_rows
                THEN left_minor // open_rows + 1
            ELSE left_minor // open_rows
        END AS portion_minor
    FROM counted
), shared AS (
    SELECT
        *,
        CASE
            WHEN NOT is_open OR component_rank <> $component_rank THEN 0
            WHEN from_last = 1
                THEN GREATEST(0, LEAST(left_minor - portion_minor * (open_rows - 1), owed_minor - paid_minor))
            ELSE LEAST(portion_minor, owed_minor - paid_minor)
        END AS wanted_minor
    FROM portioned
), bounded AS (
    SELECT
        *,
        GREATEST(
            0,
            LEAST(
                wanted_minor,
                left_minor - COALESCE(
                    SUM(wanted_minor) OVER (
                        PARTITION BY loan_id ORDER BY due_on, seq, component_rank
                        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                    ), 0
                )
            )
        ) AS part_minor
    FROM shared
)
SELECT
    loan_id::VARCHAR AS loan_id,
    seq::INTEGER AS seq,
    due_on::DATE AS due_on,
    component_code::VARCHAR AS component_code,
    owed_minor::BIGINT AS owed_minor,
    (paid_minor + part_minor)::BIGINT AS paid_minor,
    (overpaid_minor + CASE WHEN open_rows = 0 THEN left_minor ELSE 0 END)::BIGINT AS overpaid_minor,
    CASE
        WHEN open_rows = 0 THEN 0 ELSE left_minor - SUM(part_minor) OVER (PARTITION BY loan_id)
    END::BIGINT AS left_minor,
    moves::INTEGER AS moves
FROM bounded
