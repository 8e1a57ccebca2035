-- Grain: contact so far with a person who is due a step, as far back as any rule counts.
-- Rules: ARR-CON-02, ARR-CON-03. Inputs: due_person (person_id, party_id), raw__contact. Parameters: history_start.
SELECT
    due_person.person_id,
    contact.party_id,
    contact.contact_point_id,
    contact.channel_code,
    contact.direction_code,
    contact.purpose_code,
    contact.outcome_code,
    contact.started_at
FROM due_person
INNER JOIN raw__contact AS contact ON due_person.party_id = contact.party_id
WHERE contact.started_at >= $history_start
