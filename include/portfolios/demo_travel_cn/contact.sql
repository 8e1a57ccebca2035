-- Contact attempts of the five weeks before the close: no rule looks further back. This lender's log calls only a talk
-- with the borrower a conversation; of a text nobody knows who read it.
SELECT
    contact_no AS contact_id,
    customer_no AS party_id,
    point_no AS contact_point_id,
    channel AS channel_code,
    direction AS direction_code,
    purpose AS purpose_code,
    started_at,
    outcome AS outcome_code,
    CASE
        WHEN channel NOT IN ('call', 'voice_bot') THEN 'unknown'
        WHEN outcome = 'conversation' THEN 'yes'
        ELSE 'no'
    END AS right_party
FROM core_banking.contact_log
WHERE known_on BETWEEN CAST(:closing_date AS date) - 34 AND :closing_date
