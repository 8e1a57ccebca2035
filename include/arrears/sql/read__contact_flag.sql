-- Grain: flag of a person who is due a step, of one of the loans concerned, or of one of the points; not yet over.
-- Inputs: due_person (person_id, party_id), due_loan (person_id, loan_id), raw__contact_point, raw__flag, raw__party.
-- Parameters: day_start.
WITH subject AS (
    SELECT person_id, party_id, NULL AS loan_id, NULL AS contact_point_id
    FROM due_person
    UNION ALL
    SELECT person_id, NULL AS party_id, loan_id, NULL AS contact_point_id
    FROM due_loan
    UNION ALL
    SELECT due_person.person_id, NULL AS party_id, NULL AS loan_id, reached.contact_point_id
    FROM due_person
    INNER JOIN raw__contact_point AS reached ON due_person.party_id = reached.party_id
), open_flag AS (
    SELECT flag_code, party_id, loan_id, contact_point_id, starts_at, ends_at
    FROM raw__flag
    WHERE ends_at IS NULL OR ends_at > $day_start
), found AS (
    SELECT subject.person_id, open_flag.*
    FROM subject
    INNER JOIN open_flag ON subject.party_id = open_flag.party_id
    UNION ALL
    SELECT subject.person_id, open_flag.*
    FROM subject
    INNER JOIN open_flag ON subject.loan_id = open_flag.loan_id
    UNION ALL
    SELECT subject.person_id, open_flag.*
    FROM subject
    INNER JOIN open_flag ON subject.contact_point_id = open_flag.contact_point_id
)
SELECT person_id, flag_code, loan_id, contact_point_id, starts_at, ends_at
FROM found
UNION ALL
SELECT
    due_person.person_id,
    'minor' AS flag_code,
    NULL AS loan_id,
    NULL AS contact_point_id,
    NULL AS starts_at,
    NULL AS ends_at
FROM due_person
INNER JOIN raw__party AS party ON due_person.party_id = party.party_id
WHERE party.is_minor
