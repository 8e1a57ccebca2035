-- Promises to pay made by the close, each in one amount.
SELECT
    promise_no AS promise_id,
    CAST(1 AS integer) AS seq,
    loan_no AS loan_ids,
    contact_no AS contact_id,
    agent_no AS agent_id,
    made_at,
    amount_minor,
    currency,
    due_on,
    CAST(NULL AS timestamptz) AS cancelled_at
FROM core_banking.promise
WHERE known_on <= :closing_date
