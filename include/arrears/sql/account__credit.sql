-- Grain: loan_id x seq x credited_on: what a chargeback or a refund took back beyond what was overpaid, at one move.
-- Rules: ARR-AGE-07. Inputs: account_state (before the move), account_move. Parameters: $move_number.
SELECT DISTINCT
    m.loan_id::VARCHAR AS loan_id,
    m.to_seq::INTEGER AS seq,
    m.move_number::INTEGER AS move_number,
    m.effective_on::DATE AS credited_on,
    (m.amount_minor - LEAST(m.amount_minor, s.overpaid_minor))::BIGINT AS credit_minor
FROM account_move AS m
INNER JOIN account_state AS s ON m.loan_id = s.loan_id
WHERE m.move_number = $move_number AND m.move_code = 'credit' AND m.amount_minor > s.overpaid_minor
