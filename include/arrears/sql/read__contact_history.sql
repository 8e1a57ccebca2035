-- Grain: contact so far with a person who is due a step, as the contact policy reads it (contact_prior). The source
-- does
-- not say about which debts, nor for whom it was made: it counts for each.
-- Rules: ARR-CON-02, ARR-CON-03. Inputs: due_person (person_id, party_id), raw__contact, raw__contact_point.
SELECT
    due_person.person_id,
    contact.started_at,
    contact.channel_code AS channel,
    contact.outcome_code AS outcome,
    contact.direction_code AS direction,
    'consumer' AS party,
    due_person.person_id AS party_id,
    COALESCE(reached.place_code, 'personal') AS place,
    contact.purpose_code AS purpose,
    contact.contact_point_id,
    '' AS collector,
    []::VARCHAR[] AS debts
FROM due_person
INNER JOIN raw__contact AS contact ON due_person.party_id = contact.party_id
LEFT JOIN raw__contact_point AS reached ON contact.contact_point_id = reached.contact_point_id
