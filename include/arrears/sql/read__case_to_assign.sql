-- Grain: open case. What the assignment rule asks of it; a held case stands in the queue of all its loans.
-- Rules: ARR-ASG-03, ARR-ASG-04 (stale), ARR-ASG-05 (the override made last names the agent). Inputs: core__case_daily,
-- core__case_loan_daily, raw__party, raw__contact, raw__agent_conflict, previous__assignment, feedback_reassign.
-- Parameters: language (default), stale_days, compared_with, zone, day_start, day_end.
WITH party_of_case AS (
    SELECT case_of_day.case_id, COALESCE(other.party_id, case_of_day.borrower_id) AS party_id
    FROM core__case_daily AS case_of_day
    LEFT JOIN raw__party AS party ON case_of_day.borrower_id = party.party_id
    LEFT JOIN raw__party AS other ON party.person_id = other.person_id
    WHERE case_of_day.closed_on IS NULL
), talk AS (
    SELECT of_case.case_id, MAX(made.started_at AT TIME ZONE $zone)::DATE AS talked_on
    FROM party_of_case AS of_case
    INNER JOIN raw__contact AS made ON of_case.party_id = made.party_id
    WHERE made.outcome_code = 'conversation' OR made.direction_code = 'in'
    GROUP BY of_case.case_id
), conflict AS (
    SELECT of_case.case_id, LIST(DISTINCT barred.agent_id ORDER BY barred.agent_id) AS agent_ids
    FROM party_of_case AS of_case
    INNER JOIN raw__agent_conflict AS barred ON of_case.party_id = barred.party_id
    GROUP BY of_case.case_id
), override AS (
    SELECT of_case.case_id, of_person.to_agent_id, of_person.made_at, of_person.event_id
    FROM party_of_case AS of_case
    INNER JOIN feedback_reassign AS of_person ON of_case.party_id = of_person.party_id AND of_person.loan_id IS NULL
    WHERE of_person.starts_at < $day_end AND (of_person.ends_at IS NULL OR of_person.ends_at > $day_start)
    UNION ALL
    SELECT part.case_id, of_loan.to_agent_id, of_loan.made_at, of_loan.event_id
    FROM core__case_loan_daily AS part
    INNER JOIN feedback_reassign AS of_loan ON part.loan_id = of_loan.loan_id
    WHERE of_loan.starts_at < $day_end AND (of_loan.ends_at IS NULL OR of_loan.ends_at > $day_start)
), named AS (
    SELECT case_id, ARG_MAX(to_agent_id, (made_at, event_id)) AS agent_id
    FROM override
    GROUP BY case_id
)
SELECT
    case_of_day.case_id,
    COALESCE(party.language, $language) AS party_language,
    CASE
        WHEN case_of_day.hold_code IS NULL THEN case_of_day.worked_bucket
        ELSE case_of_day.bucket
    END AS bucket,
    CASE
        WHEN case_of_day.hold_code IS NULL THEN case_of_day.worked_delinquent_days
        ELSE case_of_day.delinquent_days
    END AS delinquent_days,
    CASE
        WHEN case_of_day.hold_code IS NULL THEN case_of_day.worked_minor
        ELSE case_of_day.past_due_minor
    END AS amount_minor,
    case_of_day.hold_code,
    CASE WHEN case_of_day.state_code IN ('promised', 'plan') THEN case_of_day.promised_on END AS promised_on,
    earlier.agent_id AS kept_agent_id,
    COALESCE(earlier.agent_since_on, $compared_with::DATE) AS agent_since_on,
    COALESCE(conflict.agent_ids, []) AS barred_agent_ids,
    named.agent_id AS named_agent_id,
    COALESCE(
        $business_date - $stale_days::INTEGER
        >= GREATEST(COALESCE(earlier.agent_since_on, $compared_with::DATE), talk.talked_on),
        FALSE
    ) AS is_stale
FROM core__case_daily AS case_of_day
LEFT JOIN raw__party AS party ON case_of_day.borrower_id = party.party_id
LEFT JOIN previous__assignment AS earlier ON case_of_day.case_id = earlier.case_id
LEFT JOIN talk ON case_of_day.case_id = talk.case_id
LEFT JOIN conflict ON case_of_day.case_id = conflict.case_id
LEFT JOIN named ON case_of_day.case_id = named.case_id
WHERE case_of_day.closed_on IS NULL
