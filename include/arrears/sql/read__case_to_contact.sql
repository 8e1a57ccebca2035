-- Grain: open case that a path may speak to. What strategy and policy ask of it; a held case without an amount.
-- common_days: days past due of all its loans alike, NULL where they differ, so that no rule exempts one by another.
-- Rules: ARR-STR-01, ARR-STR-05 (a live promise or plan pauses every step). Inputs: core__case_daily,
-- core__case_loan_daily, core__case_trait_daily, core__loan_delinquency_daily, out__assignment_daily, raw__loan,
-- raw__party, raw__queue, previous__waiting. Parameters: language (default).
WITH spoken_of AS (
    SELECT
        case_loan.case_id,
        LIST(case_loan.loan_id ORDER BY case_loan.loan_id) AS loan_ids,
        MAX(case_loan.past_due_days) AS past_due_days,
        CASE WHEN COUNT(DISTINCT case_loan.past_due_days) = 1 THEN MAX(case_loan.past_due_days) END AS common_days,
        CASE WHEN COUNT(DISTINCT loan.product_code) = 1 THEN MIN(loan.product_code) END AS product_code,
        CASE
            WHEN COUNT(DISTINCT COALESCE(said.residence_region_code, '')) = 1 THEN MIN(said.residence_region_code)
        END AS residence_code
    FROM core__case_loan_daily AS case_loan
    INNER JOIN core__case_daily AS case_of_day ON case_loan.case_id = case_of_day.case_id
    INNER JOIN core__loan_delinquency_daily AS loan ON case_loan.loan_id = loan.loan_id
    LEFT JOIN raw__loan AS said ON case_loan.loan_id = said.loan_id
    WHERE case_loan.state_code = 'past_due' AND (case_loan.hold_code IS NULL OR case_of_day.state_code = 'hold')
    GROUP BY case_loan.case_id
)
SELECT
    case_of_day.case_id,
    case_of_day.borrower_id,
    party.person_id,
    party.party_id IS NOT NULL AS is_party_known,
    COALESCE(party.language, $language) AS party_language,
    case_of_day.hold_code,
    case_of_day.episode_on,
    case_of_day.episodes,
    case_of_day.state_since_on,
    case_of_day.steps_planned,
    case_of_day.worked_bucket AS bucket,
    case_of_day.worked_delinquent_days AS delinquent_days,
    case_of_day.worked_minor AS amount_minor,
    case_of_day.currency,
    spoken_of.loan_ids,
    spoken_of.past_due_days,
    spoken_of.common_days,
    spoken_of.product_code,
    spoken_of.residence_code,
    trait.behaviour_code,
    trait.promise_code,
    trait.risk_band_code,
    trait.contactability_code,
    trait.is_vulnerable,
    COALESCE(assigned.is_assigned AND work_queue.work_mode_code <> 'bot', FALSE) AS has_worker,
    earlier.step_key AS waiting_key
FROM core__case_daily AS case_of_day
INNER JOIN spoken_of ON case_of_day.case_id = spoken_of.case_id
INNER JOIN core__case_trait_daily AS trait ON case_of_day.case_id = trait.case_id
LEFT JOIN raw__party AS party ON case_of_day.borrower_id = party.party_id
LEFT JOIN out__assignment_daily AS assigned ON case_of_day.case_id = assigned.case_id
LEFT JOIN raw__queue AS work_queue ON assigned.queue_id = work_queue.queue_id
LEFT JOIN previous__waiting AS earlier ON case_of_day.case_id = earlier.case_id
WHERE case_of_day.closed_on IS NULL AND case_of_day.state_code IN ('open', 'in_treatment', 'hold')
