-- Grain: loan_id x seq (0: the loan) on one earlier date: how old a loan with a late entry was, by today's ledger.
-- Rules: ARR-TRN-09. Inputs: late_entry, bucket, core__loan_delinquency_daily and core__instalment_delinquency_daily of
-- that date. Parameter: $on_date (an earlier business date).
WITH concerned AS (
    SELECT loan_id
    FROM late_entry
    WHERE from_on <= $on_date
)
SELECT
    n.loan_id,
    0::INTEGER AS seq,
    $on_date::DATE AS on_date,
    n.past_due_days,
    n.past_due_minor,
    n.bucket,
    n.contract_bucket
FROM core__loan_delinquency_daily AS n
INNER JOIN concerned AS c ON n.loan_id = c.loan_id
UNION ALL
SELECT
    i.loan_id,
    i.seq,
    $on_date::DATE AS on_date,
    i.past_due_days,
    i.past_due_minor,
    i.bucket,
    b.code AS contract_bucket
FROM core__instalment_delinquency_daily AS i
INNER JOIN concerned AS c ON i.loan_id = c.loan_id
INNER JOIN bucket AS b ON i.past_due_days BETWEEN b.from_days AND b.to_days
