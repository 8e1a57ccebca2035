-- Grain: contact that counts: made, as the ledger says, or planned a moment ago for another case of the person.
-- Inputs: contact_made, contact_planned.
SELECT
    person_id,
    started_at,
    channel,
    outcome,
    direction,
    party,
    party_id,
    place,
    purpose,
    contact_point_id,
    collector,
    debts
FROM contact_made
UNION ALL
SELECT
    person_id,
    started_at,
    channel,
    outcome,
    direction,
    party,
    party_id,
    place,
    purpose,
    contact_point_id,
    collector,
    debts
FROM contact_planned
