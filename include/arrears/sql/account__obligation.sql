-- Grain: loan_id x seq x component_code: what a replayed account owes before its first entry. A component that nobody
-- asks for is left out, unless an entry adds to it or even parts count the instalments.
-- Rules: ARR-AGE-03. An extra instalment is due on the latest of what came too late for the schedule.
-- Inputs: replayed_instalment, account_entry, account_move. Parameters: $has_even (some payments are spread evenly).
WITH component AS (
    SELECT UNNEST(['principal', 'interest', 'fee', 'penalty']) AS component_code
), scheduled AS (
    SELECT
        i.loan_id,
        i.seq,
        i.due_on,
        i.principal_minor,
        i.interest_minor,
        i.fee_minor,
        i.penalty_minor
    FROM replayed_instalment AS i
    UNION ALL
    SELECT
        loan_id,
        to_seq AS seq,
        MAX(effective_on) AS due_on,
        0 AS principal_minor,
        0 AS interest_minor,
        0 AS fee_minor,
        0 AS penalty_minor
    FROM account_entry
    WHERE is_late
    GROUP BY loan_id, to_seq
), last_move AS (
    SELECT
        loan_id,
        MAX(moves) AS moves
    FROM account_move
    GROUP BY loan_id
), cell AS (
    SELECT
        s.loan_id,
        s.seq,
        s.due_on,
        c.component_code,
        CASE c.component_code
            WHEN 'principal' THEN s.principal_minor
            WHEN 'interest' THEN s.interest_minor
            WHEN 'fee' THEN s.fee_minor
            ELSE s.penalty_minor
        END AS owed_minor
    FROM scheduled AS s
    CROSS JOIN component AS c
), taker AS (
    SELECT DISTINCT
        loan_id,
        to_seq AS seq,
        to_component AS component_code
    FROM account_move
    WHERE to_seq IS NOT NULL
)
SELECT
    c.loan_id::VARCHAR AS loan_id,
    c.seq::INTEGER AS seq,
    c.due_on::DATE AS due_on,
    c.component_code::VARCHAR AS component_code,
    c.owed_minor::BIGINT AS owed_minor,
    0::BIGINT AS paid_minor,
    0::BIGINT AS overpaid_minor,
    0::BIGINT AS left_minor,
    COALESCE(m.moves, 0)::INTEGER AS moves
FROM cell AS c
LEFT JOIN last_move AS m ON c.loan_id = m.loan_id
LEFT JOIN taker AS t ON c.loan_id = t.loan_id AND c.seq = t.seq AND c.component_code = t.component_code
WHERE c.owed_minor > 0 OR t.loan_id IS NOT NULL OR $has_even
