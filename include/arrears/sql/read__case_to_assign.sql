-- Grain: open case. What the assignment rule asks of it; a held case stands in the queue of all its loans.
-- Rules: ARR-ASG-03. Inputs: core__case_daily, raw__party, previous__assignment. Parameters: language (default).
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
    earlier.agent_id AS kept_agent_id
FROM core__case_daily AS case_of_day
LEFT JOIN raw__party AS party ON case_of_day.borrower_id = party.party_id
LEFT JOIN previous__assignment AS earlier ON case_of_day.case_id = earlier.case_id
WHERE case_of_day.closed_on IS NULL
