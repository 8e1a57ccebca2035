-- Grain: flag of a person who is due a step, of one of the loans concerned, or of one of the points, as the contact
-- policy
-- reads it (contact_flag); one that is over stays, for rests and evidence count from its beginning. A rejected row,
-- or one that other rows contradict, is the flag rejected_row of the person it speaks of, and of every loan in the
-- case of the loan it speaks of.
-- Rules: ARR-CON-04, ARR-CON-06. Inputs: due_person (person_id, party_id), due_loan (person_id, loan_id),
-- raw__contact_point, raw__flag, raw__party, out__quarantine, core__case_loan_daily.
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
), known_flag AS (
    SELECT flag_code, party_id, loan_id, contact_point_id, starts_at, ends_at
    FROM raw__flag
), found AS (
    SELECT subject.person_id, known_flag.*
    FROM subject
    INNER JOIN known_flag ON subject.party_id = known_flag.party_id
    UNION ALL
    SELECT subject.person_id, known_flag.*
    FROM subject
    INNER JOIN known_flag ON subject.loan_id = known_flag.loan_id
    UNION ALL
    SELECT subject.person_id, known_flag.*
    FROM subject
    INNER JOIN known_flag ON subject.contact_point_id = known_flag.contact_point_id
), rejected AS (
    SELECT DISTINCT loan_id, party_id
    FROM out__quarantine
    WHERE severity_code IN ('fail', 'hold')
), unsure AS (
    SELECT due_person.person_id, NULL AS loan_id
    FROM due_person
    INNER JOIN rejected ON due_person.party_id = rejected.party_id
    UNION
    SELECT due_loan.person_id, due_loan.loan_id
    FROM due_loan
    INNER JOIN core__case_loan_daily AS due ON due_loan.loan_id = due.loan_id
    INNER JOIN core__case_loan_daily AS beside ON due.case_id = beside.case_id
    INNER JOIN rejected ON beside.loan_id = rejected.loan_id
)
SELECT
    person_id,
    flag_code AS code,
    COALESCE(starts_at, '0001-01-01 00:00:00+00'::TIMESTAMPTZ) AS starts_at,
    ends_at,
    loan_id,
    contact_point_id
FROM found
UNION ALL
SELECT
    due_person.person_id,
    'minor' AS code,
    '0001-01-01 00:00:00+00'::TIMESTAMPTZ AS starts_at,
    NULL AS ends_at,
    NULL AS loan_id,
    NULL AS contact_point_id
FROM due_person
INNER JOIN raw__party AS party ON due_person.party_id = party.party_id
WHERE party.is_minor
UNION ALL
SELECT
    person_id,
    'rejected_row' AS code,
    '0001-01-01 00:00:00+00'::TIMESTAMPTZ AS starts_at,
    NULL AS ends_at,
    loan_id,
    NULL AS contact_point_id
FROM unsure
