-- Grain: transaction_id: standing entry of an account that is replayed, its place in the order, and what takes it.
-- Rules: ARR-AGE-02, ARR-AGE-03. Set-based twin of rules/account.py (standing_transactions, receivers).
-- Inputs: replayed_instalment, replayed_transaction, annulled. Parameters: $as_of, $timezone.
WITH posted AS (
    SELECT
        t.loan_id,
        t.transaction_id,
        t.kind_code,
        t.effective_on,
        t.booked_at,
        t.amount_minor,
        CASE
            WHEN t.kind_code = 'charge'
                THEN LEAST(t.effective_on, COALESCE(TIMEZONE($timezone, t.booked_at)::DATE, t.effective_on))
            ELSE t.effective_on
        END AS posted_on,
        CASE WHEN t.kind_code = 'charge' THEN COALESCE(t.component_code, 'fee') ELSE 'principal' END AS component_code,
        t.kind_code IN ('charge', 'chargeback', 'credit_refund') AS is_adding
    FROM replayed_transaction AS t
    LEFT JOIN annulled AS a ON t.loan_id = a.loan_id AND t.transaction_id = a.transaction_id
    WHERE a.loan_id IS NULL
), standing AS (
    SELECT *
    FROM posted
    WHERE posted_on <= $as_of
), last_instalment AS (
    SELECT
        loan_id,
        MAX(seq) AS seq
    FROM replayed_instalment
    GROUP BY loan_id
), fitting AS (
    SELECT
        s.loan_id,
        s.transaction_id,
        i.seq,
        i.due_on,
        ROW_NUMBER() OVER (PARTITION BY s.loan_id, s.transaction_id ORDER BY i.due_on, i.seq) AS choice,
        ROW_NUMBER() OVER (PARTITION BY s.loan_id, s.transaction_id ORDER BY i.due_on DESC, i.seq DESC) AS last_choice,
        i.due_on > s.effective_on AS is_later
    FROM standing AS s
    INNER JOIN replayed_instalment AS i ON s.loan_id = i.loan_id
    WHERE
        s.is_adding
        AND i.due_on >= s.effective_on
        AND (s.kind_code <> 'charge' OR COALESCE(i.kind_code, 'instalment') <> 'down_payment')
), taker AS (
    -- a charge goes to the first that fits; a chargeback to the first later one, on the day of the last to the last
    SELECT
        s.loan_id,
        s.transaction_id,
        COALESCE(
            MIN(CASE WHEN s.kind_code = 'charge' AND f.choice = 1 THEN f.seq END),
            ARG_MIN(CASE WHEN s.kind_code <> 'charge' THEN f.seq END, CASE WHEN f.is_later THEN f.choice END),
            MIN(CASE WHEN s.kind_code <> 'charge' AND f.last_choice = 1 AND NOT f.is_later THEN f.seq END)
        ) AS seq
    FROM standing AS s
    INNER JOIN fitting AS f ON s.loan_id = f.loan_id AND s.transaction_id = f.transaction_id
    GROUP BY s.loan_id, s.transaction_id
)
SELECT
    s.loan_id::VARCHAR AS loan_id,
    s.transaction_id::VARCHAR AS transaction_id,
    s.kind_code::VARCHAR AS kind_code,
    s.effective_on::DATE AS effective_on,
    s.amount_minor::BIGINT AS amount_minor,
    s.is_adding::BOOLEAN AS is_adding,
    (s.is_adding AND t.seq IS NULL)::BOOLEAN AS is_late,
    CASE WHEN s.is_adding THEN COALESCE(t.seq, n.seq + 1, 1) END::INTEGER AS to_seq,
    s.component_code::VARCHAR AS to_component,
    (
        ROW_NUMBER() OVER (
            PARTITION BY s.loan_id ORDER BY s.posted_on, s.booked_at NULLS FIRST, s.transaction_id
        )
    )::INTEGER AS entry_number
FROM standing AS s
LEFT JOIN taker AS t ON s.loan_id = t.loan_id AND s.transaction_id = t.transaction_id
LEFT JOIN last_instalment AS n ON s.loan_id = n.loan_id
