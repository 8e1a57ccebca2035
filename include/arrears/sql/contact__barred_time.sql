-- Grain: candidate and time of the week its person has called inconvenient for its channel.
-- Rules: ARR-CON-08. Inputs: contact_candidate_coded, contact_inconvenient.
SELECT
    candidate.candidate_id,
    barred.weekdays,
    barred.start_minute,
    barred.end_minute
FROM contact_candidate_coded AS candidate
INNER JOIN contact_inconvenient AS barred ON candidate.person_id = barred.person_id
WHERE
    candidate.are_times_known
    AND (LEN(barred.channels) = 0 OR LIST_CONTAINS(barred.channels, candidate.channel))
