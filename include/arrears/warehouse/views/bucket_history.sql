-- Bucket history in both times. What is true now: known_to IS NULL. What was known on day K: known_from <= K and
-- (known_to IS NULL or known_to > K).
-- Grain: one row per portfolio, loan, instalment (0: the loan), valid_from and known_from.
-- Of: mart.fct_bucket_history
SELECT
    said.portfolio,
    said.loan_id,
    said.seq,
    said.bucket,
    said.contract_bucket,
    said.valid_from,
    said.valid_to,
    said.known_from,
    replaced.known_to
FROM mart.fct_bucket_history AS said
LEFT JOIN mart.fct_bucket_history AS replaced
    ON
        said.portfolio = replaced.portfolio
        AND said.loan_id = replaced.loan_id
        AND said.seq = replaced.seq
        AND said.valid_from = replaced.valid_from
        AND said.known_from = replaced.known_from
        AND replaced.known_to IS NOT NULL
WHERE said.known_to IS NULL
