-- Grain: person and party record of a contact that is replayed. Inputs: contact_replay.
SELECT DISTINCT
    person_id,
    party_id AS borrower_id
FROM contact_replay
