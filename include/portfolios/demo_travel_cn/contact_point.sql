-- Contact points known by the close; the number or address itself never leaves the source.
SELECT
    point_no AS contact_point_id,
    customer_no AS party_id,
    kind AS kind_code,
    timezone,
    place AS place_code,
    verified_at,
    CASE WHEN invalid_known_on <= :closing_date THEN invalid_from END AS invalid_from
FROM core_banking.contact_point
WHERE known_on <= :closing_date
