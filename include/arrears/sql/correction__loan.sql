-- Grain: loan_id: loans whose past is another than was published, with what is true of the day compared with.
-- Rules: ARR-TRN-09. Inputs: recomputed (loan_id, seq, on_date, past_due_days, past_due_minor, bucket,
-- contract_bucket), previous__loan_delinquency, previous__bucket_history. Parameters: $compared_with, $current_bucket.
WITH published AS (
    SELECT
        r.loan_id,
        r.on_date,
        r.bucket,
        r.contract_bucket,
        COALESCE(h.bucket, $current_bucket) AS bucket_then,
        COALESCE(h.contract_bucket, $current_bucket) AS contract_bucket_then
    FROM recomputed AS r
    LEFT JOIN previous__bucket_history AS h
        ON
            r.loan_id = h.loan_id
            AND h.seq = 0
            AND h.known_to IS NULL
            AND r.on_date >= h.valid_from
            AND (h.valid_to IS NULL OR r.on_date < h.valid_to)
    WHERE r.seq = 0
), difference AS (
    SELECT loan_id, on_date
    FROM published
    WHERE bucket <> bucket_then OR contract_bucket <> contract_bucket_then
    UNION ALL
    SELECT r.loan_id, r.on_date
    FROM recomputed AS r
    INNER JOIN previous__loan_delinquency AS p ON r.loan_id = p.loan_id
    WHERE
        r.seq = 0
        AND r.on_date = $compared_with
        AND (r.past_due_days <> p.past_due_days OR r.past_due_minor <> p.past_due_minor)
), corrected AS (
    SELECT loan_id, MIN(on_date) AS corrected_from
    FROM difference
    GROUP BY loan_id
)
SELECT
    c.loan_id,
    c.corrected_from,
    r.past_due_days,
    r.past_due_minor,
    r.contract_bucket
FROM corrected AS c
INNER JOIN recomputed AS r ON c.loan_id = r.loan_id AND r.seq = 0 AND r.on_date = $compared_with
