-- Grain: person and loan that a contact which is replayed can only have been about. Inputs: contact_replay.
SELECT DISTINCT
    person_id,
    UNNEST(loan_ids) AS loan_id
FROM contact_replay
