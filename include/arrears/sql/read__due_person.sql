-- Grain: party record of a person who is due a step: everything known of the same human counts, in all records.
-- Inputs: due_case (person_id, borrower_id), raw__party.
SELECT DISTINCT due_case.person_id, due_case.borrower_id AS party_id
FROM due_case
UNION
SELECT DISTINCT due_case.person_id, party.party_id
FROM due_case
INNER JOIN raw__party AS party ON due_case.person_id = party.person_id
