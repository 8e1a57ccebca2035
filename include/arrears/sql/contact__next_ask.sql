-- Grain: candidate still barred: the first quarter hour at which all rules that fired have fallen silent.
-- Rules: ARR-CON-08. Inputs: contact_fired, contact_search.
WITH silent AS (
    SELECT candidate_id, MAX(clears_at) AS silent_at
    FROM contact_fired
    GROUP BY candidate_id
)
SELECT
    silent.candidate_id,
    TIME_BUCKET(TO_MINUTES(15), silent.silent_at + TO_MICROSECONDS(899999999)) AS asked_at,
    NULL::TIMESTAMP AS until_at,
    NULL::DATE AS valid_on
FROM silent
INNER JOIN contact_search AS search ON silent.candidate_id = search.candidate_id -- noqa: RF04
WHERE TIME_BUCKET(TO_MINUTES(15), silent.silent_at + TO_MICROSECONDS(899999999)) <= search.last_at
