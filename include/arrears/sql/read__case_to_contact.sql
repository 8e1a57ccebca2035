-- Grain: open case that may be worked. What strategy and policy ask of it.
-- Rules: ARR-STR-01. Inputs: core__case_daily, core__case_loan_daily, core__loan_delinquency_daily,
-- out__assignment_daily, raw__party, raw__queue, previous__plan. Parameters: language (default).
WITH worked_loan AS (
    SELECT
        case_loan.case_id,
        LIST(case_loan.loan_id ORDER BY case_loan.loan_id) AS loan_ids,
        MAX(case_loan.past_due_days) AS past_due_days,
        CASE WHEN COUNT(DISTINCT loan.product_code) = 1 THEN MIN(loan.product_code) END AS product_code
    FROM core__case_loan_daily AS case_loan
    INNER JOIN core__loan_delinquency_daily AS loan ON case_loan.loan_id = loan.loan_id
    WHERE case_loan.state_code = 'past_due' AND case_loan.hold_code IS NULL
    GROUP BY case_loan.case_id
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
    case_of_day.currency,
    worked_loan.loan_ids,
    worked_loan.past_due_days,
    worked_loan.product_code,
    COALESCE(assigned.is_assigned AND work_queue.work_mode_code <> 'bot', FALSE) AS has_worker,
    earlier.step_key AS blocked_key
FROM core__case_daily AS case_of_day
INNER JOIN worked_loan ON case_of_day.case_id = worked_loan.case_id
LEFT JOIN raw__party AS party ON case_of_day.borrower_id = party.party_id
LEFT JOIN out__assignment_daily AS assigned ON case_of_day.case_id = assigned.case_id
LEFT JOIN raw__queue AS work_queue ON assigned.queue_id = work_queue.queue_id
LEFT JOIN previous__plan AS earlier ON case_of_day.case_id = earlier.case_id AND earlier.state_code = 'blocked'
WHERE case_of_day.closed_on IS NULL AND case_of_day.hold_code IS NULL
