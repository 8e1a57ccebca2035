-- Grain: open case that may be worked. What strategy and policy ask of it.
-- Rules: ARR-STR-01. Inputs: core__case_daily, core__case_loan_daily, out__assignment_daily, raw__party,
-- raw__queue, previous__plan. Parameters: language (default).
WITH worked_loan AS (
    SELECT case_id, LIST(loan_id ORDER BY loan_id) AS loan_ids
    FROM core__case_loan_daily
    WHERE state_code = 'past_due' AND hold_code IS NULL
    GROUP BY case_id
)
SELECT
    case_of_day.case_id,
    case_of_day.borrower_id,
    party.person_id,
    party.party_id IS NOT NULL AS is_party_known,
    COALESCE(party.language, $language) AS party_language,
    case_of_day.case_age_days,
    case_of_day.worked_bucket AS bucket,
    case_of_day.worked_delinquent_days AS delinquent_days,
    case_of_day.worked_minor AS amount_minor,
    worked_loan.loan_ids,
    COALESCE(assigned.is_assigned AND work_queue.work_mode_code <> 'bot', FALSE) AS has_worker,
    earlier.step_key AS blocked_key
FROM core__case_daily AS case_of_day
INNER JOIN worked_loan ON case_of_day.case_id = worked_loan.case_id
LEFT JOIN raw__party AS party ON case_of_day.borrower_id = party.party_id
LEFT JOIN out__assignment_daily AS assigned ON case_of_day.case_id = assigned.case_id
LEFT JOIN raw__queue AS work_queue ON assigned.queue_id = work_queue.queue_id
LEFT JOIN previous__plan AS earlier ON case_of_day.case_id = earlier.case_id AND earlier.state_code = 'blocked'
WHERE case_of_day.closed_on IS NULL AND case_of_day.hold_code IS NULL
