-- Grain: candidate. The answer: when it may be made, if asked for a day; the earliest time; instants in UTC.
-- Rules: ARR-CON-08. Inputs: contact_candidate_coded, contact_fired_rule, contact_span, contact_found.
WITH barred AS (
    SELECT DISTINCT candidate_id
    FROM contact_fired_rule
)
SELECT
    candidate.candidate_id,
    barred.candidate_id IS NULL AS is_allowed,
    CASE
        WHEN barred.candidate_id IS NULL THEN COALESCE(span.opens_at, candidate.planned_at)
        ELSE found.asked_at
    END AS earliest_at,
    CASE WHEN barred.candidate_id IS NULL THEN span.opens_at END AS not_before_at,
    CASE WHEN barred.candidate_id IS NULL THEN span.closes_at END AS not_after_at
FROM contact_candidate_coded AS candidate
LEFT JOIN barred ON candidate.candidate_id = barred.candidate_id
LEFT JOIN contact_span AS span ON candidate.candidate_id = span.candidate_id
LEFT JOIN contact_found AS found ON candidate.candidate_id = found.candidate_id
