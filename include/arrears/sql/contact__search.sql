-- Grain: candidate that is barred, by rules and not for want of a fact: the quarter hour to ask about first, and
-- the last.
-- Rules: ARR-CON-08. Inputs: contact_candidate_coded, contact_fired_first, contact_missing, contact_span.
WITH barred AS (
    SELECT candidate_id, MAX(clears_at) AS clears_at
    FROM contact_fired_first
    WHERE candidate_id NOT IN (SELECT missing.candidate_id FROM contact_missing AS missing)
    GROUP BY candidate_id
), stepped AS (
    SELECT
        candidate.candidate_id,
        COALESCE(span.opens_at, candidate.planned_at) + TO_DAYS(400) AS last_at,
        CASE
            WHEN
                candidate.until_at IS NULL
                AND candidate.planned_at = TIME_BUCKET(TO_MINUTES(15), candidate.planned_at)
                THEN barred.clears_at
            ELSE COALESCE(span.opens_at, candidate.planned_at)
        END AS silent_at
    FROM barred
    INNER JOIN contact_candidate_coded AS candidate ON barred.candidate_id = candidate.candidate_id
    LEFT JOIN contact_span AS span ON barred.candidate_id = span.candidate_id
)
SELECT
    candidate_id,
    last_at,
    TIME_BUCKET(TO_MINUTES(15), silent_at + TO_MICROSECONDS(899999999)) AS asked_at
FROM stepped
WHERE TIME_BUCKET(TO_MINUTES(15), silent_at + TO_MICROSECONDS(899999999)) <= last_at
