-- Grain: consent of a person who is due a step. Rules: ARR-CON-05.
-- Inputs: due_person (person_id, party_id), raw__consent.
SELECT
    due_person.person_id,
    consent.channel_code,
    consent.purpose_code,
    consent.given_at,
    LEAST(consent.expires_at, consent.revoked_at) AS ends_at
FROM due_person
INNER JOIN raw__consent AS consent ON due_person.party_id = consent.party_id
