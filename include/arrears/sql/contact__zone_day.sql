-- Grain: time zone and local date. Its first instant, and the first after it.
-- Rules: ARR-CON-02, ARR-CON-03. Inputs: contact_zone_segment, contact_day (local_on).
WITH midnight AS (
    SELECT
        segment.zone,
        contact_day.local_on,
        CAST(contact_day.local_on AS TIMESTAMP) - segment.utc_offset AS midnight_at
    FROM contact_day
    INNER JOIN contact_zone_segment AS segment
        ON
            CAST(contact_day.local_on AS TIMESTAMP) >= segment.earlier_from
            AND CAST(contact_day.local_on AS TIMESTAMP) < segment.earlier_to
)
SELECT
    zone,
    local_on,
    midnight_at,
    LEAD(midnight_at) OVER (PARTITION BY zone ORDER BY local_on) AS next_midnight_at
FROM midnight
