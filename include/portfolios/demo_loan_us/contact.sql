-- Contact attempts of the five weeks before the close: no rule looks further back. This lender's log calls only a talk
-- with the borrower a conversation; of a text nobody knows who read it.
SELECT
    contact_id,
    party_id,
    contact_point_id,
    channel_code,
    direction_code,
    purpose_code,
    started_at,
    outcome_code,
    CASE
        WHEN channel_code NOT IN ('call', 'voice_bot') THEN 'unknown'
        WHEN outcome_code = 'conversation' THEN 'yes'
        ELSE 'no'
    END AS right_party,
    source_file,
    source_line
FROM contact
