-- Grain: consent of a person who is due a step, as the contact policy reads it (contact_consent); scope '' where the
-- source does not say how the contact may be made, contact_point_id NULL where it was given for none in particular.
-- Rules: ARR-CON-05. Inputs: due_person (person_id, party_id), raw__consent.
SELECT
    due_person.person_id,
    consent.channel_code AS channel,
    consent.purpose_code AS purpose,
    consent.given_at,
    LEAST(consent.expires_at, consent.revoked_at) AS ends_at,
    COALESCE(consent.scope_code, '') AS scope,
    consent.contact_point_id,
    []::VARCHAR[] AS debts
FROM due_person
INNER JOIN raw__consent AS consent ON due_person.party_id = consent.party_id
