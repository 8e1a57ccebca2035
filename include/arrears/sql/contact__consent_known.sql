-- Grain: candidate and consent of its person for its channel, given for its contact point or for none.
-- Inputs: contact_candidate_coded, contact_consent.
SELECT
    candidate.candidate_id,
    consent.purpose,
    consent.scope,
    consent.contact_point_id,
    consent.debts,
    MAKE_TIMESTAMP(EPOCH_US(consent.given_at)) AS given_at,
    COALESCE(MAKE_TIMESTAMP(EPOCH_US(consent.ends_at)), 'infinity'::TIMESTAMP) AS ends_at
FROM contact_candidate_coded AS candidate
INNER JOIN contact_consent AS consent
    ON candidate.person_id = consent.person_id AND candidate.channel = consent.channel
WHERE candidate.are_consents_known
