-- Grain: loan_id: open loan whose account is replayed entry by entry.
-- Rules: ARR-AGE-04. The others' payments settle the oldest instalments whatever their order, so that sums are enough.
-- Inputs: raw__loan, replay_candidate (made by account__candidate.sql: a table, so that few are joined as few).
SELECT c.loan_id::VARCHAR AS loan_id
FROM replay_candidate AS c
INNER JOIN raw__loan AS l ON c.loan_id = l.loan_id
WHERE l.status_code IN ('active', 'charged_off')
