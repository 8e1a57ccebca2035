-- Grain: loan_id x seq (0: the loan) x on_date: earlier days by today's ledger; an instalment with a history, or late
-- on any of these days, has a row on each.
-- Rules: ARR-TRN-09. Inputs: aged_again (rows of correction__aged.sql), late_entry, previous__bucket_history.
-- Parameter: $current_bucket.
WITH subject AS (
    SELECT loan_id, seq
    FROM aged_again
    UNION
    SELECT h.loan_id, h.seq
    FROM previous__bucket_history AS h
    INNER JOIN late_entry AS e ON h.loan_id = e.loan_id
    WHERE h.known_to IS NULL
), dated AS (
    SELECT s.loan_id, s.seq, a.on_date
    FROM subject AS s
    INNER JOIN aged_again AS a ON s.loan_id = a.loan_id AND a.seq = 0
)
SELECT
    d.loan_id,
    d.seq,
    d.on_date,
    COALESCE(a.past_due_days, 0)::INTEGER AS past_due_days,
    COALESCE(a.past_due_minor, 0)::BIGINT AS past_due_minor,
    COALESCE(a.bucket, $current_bucket)::VARCHAR AS bucket,
    COALESCE(a.contract_bucket, $current_bucket)::VARCHAR AS contract_bucket
FROM dated AS d
LEFT JOIN aged_again AS a ON d.loan_id = a.loan_id AND d.seq = a.seq AND d.on_date = a.on_date
