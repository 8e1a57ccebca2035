-- Grain: borrower to whom no reminder goes before anything is late: a case is open, or something holds.
-- Rules: ARR-CAS-03. Inputs: core__case_daily, core__loan_delinquency_daily, core__source_difference_daily,
-- raw__party, raw__flag, raw__pause. Parameters: hold_codes, day_start, day_end.
WITH flag_of_day AS (
    SELECT party_id, loan_id
    FROM raw__flag
    WHERE
        LIST_CONTAINS($hold_codes, flag_code)
        AND starts_at < $day_end AND (ends_at IS NULL OR ends_at > $day_start)
), held_person AS (
    SELECT COALESCE(party.person_id, flag_of_day.party_id) AS person_id
    FROM flag_of_day
    LEFT JOIN raw__party AS party ON flag_of_day.party_id = party.party_id
    WHERE flag_of_day.party_id IS NOT NULL
    UNION
    SELECT person_id
    FROM raw__party
    WHERE is_minor
), held_loan AS (
    SELECT loan_id
    FROM flag_of_day
    WHERE loan_id IS NOT NULL
    UNION
    SELECT loan_id
    FROM core__source_difference_daily
    UNION
    SELECT loan_id
    FROM raw__pause
    WHERE starts_on <= $business_date AND (ends_on IS NULL OR ends_on > $business_date)
)
SELECT borrower_id
FROM core__case_daily
WHERE closed_on IS NULL
UNION
SELECT loan.borrower_id
FROM core__loan_delinquency_daily AS loan
LEFT JOIN raw__party AS party ON loan.borrower_id = party.party_id
INNER JOIN held_person ON COALESCE(party.person_id, loan.borrower_id) = held_person.person_id
UNION
SELECT loan.borrower_id
FROM core__loan_delinquency_daily AS loan
INNER JOIN held_loan ON loan.loan_id = held_loan.loan_id
