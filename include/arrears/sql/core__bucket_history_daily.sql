-- Grain: loan_id x seq (0: the loan) x valid_from x known_from: each stay in a pair of buckets as known today, and the
-- rows that today's knowledge replaced (known_to = today; they are gone tomorrow and stay in the published facts).
-- Rules: ARR-BKT-02. Set-based twin of rules/bucket_history.py.
-- Inputs: core__loan_delinquency_daily, core__instalment_delinquency_daily, previous__bucket_history (empty on the
-- first day), bucket(code, from_days, to_days), recomputed (earlier days by today's ledger; empty on most days),
-- late_entry (loan_id, from_on). Parameter: $current_bucket (code of 0 days).
-- Only what turned today, or was corrected, is walked; everything else is carried. A missing loan stays where it was.
WITH known AS (
    SELECT loan_id, seq, bucket, contract_bucket, valid_from, valid_to, known_from
    FROM previous__bucket_history
    WHERE known_to IS NULL
), finished AS (
    SELECT DISTINCT k.loan_id
    FROM known AS k
    INNER JOIN core__loan_delinquency_daily AS n ON k.loan_id = n.loan_id
    WHERE k.seq = 0 AND k.valid_to IS NULL AND k.contract_bucket = $current_bucket AND NOT n.is_open
), carried AS (
    SELECT k.*
    FROM known AS k
    LEFT JOIN finished AS f ON k.loan_id = f.loan_id
    WHERE f.loan_id IS NULL
), day_bucket AS (
    SELECT
        d.past_due_days,
        b.code
    FROM (SELECT DISTINCT past_due_days FROM core__instalment_delinquency_daily) AS d
    INNER JOIN bucket AS b ON d.past_due_days BETWEEN b.from_days AND b.to_days
), late AS (
    SELECT loan_id, 0 AS seq, bucket, contract_bucket
    FROM core__loan_delinquency_daily
    WHERE past_due_days > 0
    UNION ALL
    SELECT i.loan_id, i.seq, i.bucket, d.code AS contract_bucket
    FROM core__instalment_delinquency_daily AS i
    INNER JOIN day_bucket AS d ON i.past_due_days = d.past_due_days
), subject AS (
    SELECT loan_id, seq
    FROM carried
    WHERE valid_to IS NULL
    UNION
    SELECT loan_id, seq
    FROM recomputed
), today AS (
    SELECT loan_id, seq, bucket, contract_bucket
    FROM late
    UNION ALL
    SELECT s.loan_id, s.seq, $current_bucket AS bucket, $current_bucket AS contract_bucket
    FROM subject AS s
    INNER JOIN core__loan_delinquency_daily AS n ON s.loan_id = n.loan_id
    LEFT JOIN late AS t ON s.loan_id = t.loan_id AND s.seq = t.seq
    WHERE t.loan_id IS NULL
), turned AS (
    SELECT t.loan_id, t.seq
    FROM today AS t
    LEFT JOIN carried AS c ON t.loan_id = c.loan_id AND t.seq = c.seq AND c.valid_to IS NULL
    WHERE c.loan_id IS NULL OR c.bucket <> t.bucket OR c.contract_bucket <> t.contract_bucket
    UNION
    SELECT loan_id, seq
    FROM recomputed
), point AS (
    SELECT c.loan_id, c.seq, c.valid_from AS on_date, c.bucket, c.contract_bucket, TRUE AS was_known
    FROM carried AS c
    INNER JOIN turned AS u ON c.loan_id = u.loan_id AND c.seq = u.seq
    LEFT JOIN late_entry AS e ON c.loan_id = e.loan_id
    WHERE e.loan_id IS NULL OR c.valid_from < e.from_on
    UNION ALL
    SELECT loan_id, seq, on_date, bucket, contract_bucket, FALSE AS was_known
    FROM recomputed
    UNION ALL
    SELECT t.loan_id, t.seq, $business_date::DATE AS on_date, t.bucket, t.contract_bucket, FALSE AS was_known
    FROM today AS t
    INNER JOIN turned AS u ON t.loan_id = u.loan_id AND t.seq = u.seq
), walk AS (
    SELECT
        *,
        LAG(bucket) OVER by_day AS bucket_then,
        LAG(contract_bucket) OVER by_day AS contract_bucket_then
    FROM point
    WINDOW by_day AS (PARTITION BY loan_id, seq ORDER BY on_date)
), known_subject AS (
    SELECT DISTINCT loan_id, seq
    FROM carried
), turn AS (
    SELECT w.loan_id, w.seq, w.bucket, w.contract_bucket, w.on_date AS valid_from
    FROM walk AS w
    LEFT JOIN known_subject AS h ON w.loan_id = h.loan_id AND w.seq = h.seq
    WHERE
        w.bucket <> w.bucket_then
        OR w.contract_bucket <> w.contract_bucket_then
        -- a history begins with the first day past due; one that is known keeps what its correction leaves of it
        OR (w.bucket_then IS NULL AND (h.loan_id IS NOT NULL OR w.contract_bucket <> $current_bucket))
), version AS (
    SELECT
        *,
        LEAD(valid_from) OVER (PARTITION BY loan_id, seq ORDER BY valid_from) AS valid_to
    FROM turn
), standing AS (
    SELECT v.*, COALESCE(c.known_from, $business_date::DATE) AS known_from, c.loan_id IS NOT NULL AS was_known
    FROM version AS v
    LEFT JOIN carried AS c
        ON
            v.loan_id = c.loan_id
            AND v.seq = c.seq
            AND v.valid_from = c.valid_from
            AND v.valid_to IS NOT DISTINCT FROM c.valid_to
            AND v.bucket = c.bucket
            AND v.contract_bucket = c.contract_bucket
), kept AS (
    SELECT c.*
    FROM carried AS c
    LEFT JOIN turned AS u ON c.loan_id = u.loan_id AND c.seq = u.seq
    WHERE u.loan_id IS NULL
), replaced AS (
    SELECT c.*
    FROM carried AS c
    INNER JOIN turned AS u ON c.loan_id = u.loan_id AND c.seq = u.seq
    LEFT JOIN standing AS s
        ON c.loan_id = s.loan_id AND c.seq = s.seq AND c.valid_from = s.valid_from AND s.was_known
    WHERE s.loan_id IS NULL
), history AS (
    SELECT loan_id, seq, bucket, contract_bucket, valid_from, valid_to, known_from, NULL::DATE AS known_to
    FROM kept
    UNION ALL
    SELECT loan_id, seq, bucket, contract_bucket, valid_from, valid_to, known_from, NULL::DATE AS known_to
    FROM standing
    UNION ALL
    SELECT loan_id, seq, bucket, contract_bucket, valid_from, valid_to, known_from, $business_date::DATE AS known_to
    FROM replaced
)
SELECT
    loan_id::VARCHAR AS loan_id,
    seq::INTEGER AS seq,
    bucket::VARCHAR AS bucket,
    contract_bucket::VARCHAR AS contract_bucket,
    valid_from::DATE AS valid_from,
    valid_to::DATE AS valid_to,
    known_from::DATE AS known_from,
    known_to::DATE AS known_to
FROM history
