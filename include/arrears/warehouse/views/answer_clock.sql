-- Complaints and disputes that wait for an answer, and by when: overdue ones and those due within three days ring.
-- Without a date of its own a matter has thirty days.
-- Grain: one row per portfolio, source and matter that is open.
-- Of: ops.feedback_event
-- loan_ids: Loans it is about, comma separated; empty: the person
-- reason_code: Why, by the source
-- answer_due_on: Date by which it is answered
-- days_left: Days until then; negative when overdue
-- alarm_code: overdue, soon (within three days) or waiting
SELECT
    portfolio,
    source_code,
    source_ref,
    kind_code,
    ARRAY_TO_STRING(loan_ids, ',') AS loan_ids,
    detail ->> 'reason_code' AS reason_code,
    occurred_at,
    COALESCE((detail ->> 'answer_due_on')::DATE, occurred_at::DATE + 30) AS answer_due_on,
    COALESCE((detail ->> 'answer_due_on')::DATE, occurred_at::DATE + 30) - CURRENT_DATE AS days_left,
    CASE
        WHEN COALESCE((detail ->> 'answer_due_on')::DATE, occurred_at::DATE + 30) < CURRENT_DATE THEN 'overdue'
        WHEN COALESCE((detail ->> 'answer_due_on')::DATE, occurred_at::DATE + 30) <= CURRENT_DATE + 3 THEN 'soon'
        ELSE 'waiting'
    END AS alarm_code
FROM ops.feedback
WHERE kind_code IN ('complaint', 'dispute') AND COALESCE((detail ->> 'ends_at')::TIMESTAMPTZ, 'infinity') > NOW()
