-- Contact points known by the close; the number or address itself never leaves the lender.
SELECT
    contact_point_id,
    party_id,
    kind_code,
    timezone,
    place_code,
    verified_at,
    invalid_from,
    source_file,
    source_line
FROM contact_point
