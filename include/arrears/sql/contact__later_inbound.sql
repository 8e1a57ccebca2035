-- Grain: candidate and contact its person began after the time planned for: known only when facts run ahead of the
-- plan.
-- Rules: ARR-CON-11. Inputs: contact_candidate_coded, contact_prior.
SELECT
    candidate.candidate_id,
    MAKE_TIMESTAMP(EPOCH_US(earlier.started_at)) AS started_at
FROM contact_candidate_coded AS candidate
INNER JOIN contact_prior AS earlier ON candidate.person_id = earlier.person_id AND earlier.direction = 'in'
WHERE
    candidate.is_history_known
    AND MAKE_TIMESTAMP(EPOCH_US(earlier.started_at)) > candidate.planned_at
    AND MAKE_TIMESTAMP(EPOCH_US(earlier.started_at)) < candidate.known_until_at
