-- Promises to pay made by the close, each in one amount.
SELECT
    promise_no AS promise_id,
    1 AS seq,
    loan_no AS loan_ids,
    contact_no AS contact_id,
    agent_no AS agent_id,
    made_at,
    amount_minor,
    currency,
    due_on,
    NULL AS cancelled_at,
    source_file,
    source_line
FROM promise
