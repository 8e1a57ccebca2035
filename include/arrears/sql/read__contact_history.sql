-- Grain: contact so far with a person who is due a step, as the contact policy reads it (contact_prior): of the ledger,
-- which does not say about which debts, nor for whom it was made, so that it counts for each; and elsewhere.
-- Another portfolio's contact is about none of these debts: its debt is named by that portfolio.
-- Rules: ARR-CON-02, ARR-CON-03. Inputs: due_person (person_id, party_id), raw__contact, raw__contact_point,
-- core__contact_elsewhere_daily. Parameters: sources (of contacts elsewhere that count:
-- ledger, outbox and plan of other portfolios, own_outbox).
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
UNION ALL
SELECT
    person_id,
    started_at,
    channel_code AS channel,
    outcome_code AS outcome,
    direction_code AS direction,
    'consumer' AS party,
    person_id AS party_id,
    place_code AS place,
    purpose_code AS purpose,
    NULL AS contact_point_id,
    '' AS collector,
    CASE WHEN origin = portfolio THEN []::VARCHAR[] ELSE [origin] END AS debts
FROM core__contact_elsewhere_daily
WHERE
    person_id IN (SELECT due_person.person_id FROM due_person)
    AND LIST_CONTAINS($sources::VARCHAR[], CASE WHEN origin = portfolio THEN 'own_outbox' ELSE source_code END)
