-- Promises to pay about the loans of a case, each as it stands by the date.
-- Grain: one row per promise, newest first, at most 120.
WITH loan AS (
    SELECT DISTINCT loan_id
    FROM bi.case_loan_daily
    WHERE portfolio = $portfolio AND case_id = $case_id AND business_date = $business_date
), known AS (
    SELECT DISTINCT ON (promise.promise_id, promise.seq, promise.source_code)
        promise.promise_id,
        promise.seq,
        promise.source_code,
        promise.made_at,
        promise.due_on,
        promise.deadline_on,
        promise.currency,
        promise.amount_minor,
        promise.matched_minor,
        promise.state_code
    FROM bi.promise AS promise
    INNER JOIN loan
        ON
            promise.loan_ids LIKE CONCAT('%', loan.loan_id, '%')
            AND loan.loan_id = ANY(STRING_TO_ARRAY(promise.loan_ids, ','))
    WHERE promise.portfolio = $portfolio AND promise.business_date <= $business_date
    ORDER BY promise.promise_id ASC, promise.seq ASC, promise.source_code ASC, promise.business_date DESC
)
SELECT
    made_at,
    due_on,
    deadline_on,
    currency,
    amount_minor,
    matched_minor,
    state_code AS promise_state_code
FROM known
ORDER BY made_at DESC, promise_id ASC, seq ASC, source_code ASC
LIMIT 120
