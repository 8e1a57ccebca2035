-- Contact attempts of the five weeks before the close: no rule looks further back.
SELECT
    contact_id,
    party_id,
    contact_point_id,
    channel_code,
    direction_code,
    purpose_code,
    started_at,
    outcome_code,
    source_file,
    source_line
FROM contact
