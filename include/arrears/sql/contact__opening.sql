-- Grain: timetable, calendar, time zone, local date and instant on it at which its hours open; on a date of a clock
-- change every open quarter hour instead, for there the opening may be skipped or come twice.
-- Rules: ARR-CON-01. Inputs: contact_timetable_day, contact_zone_segment.
WITH plain AS (
    SELECT
        timetable_no,
        calendar,
        zone,
        local_on,
        CAST(local_on AS TIMESTAMP) + TO_MINUTES(from_minute) AS opens_on_clock
    FROM contact_timetable_day
    WHERE from_minute IS NOT NULL AND next_midnight_at - midnight_at = TO_HOURS(24)
), changed AS (
    SELECT
        timetable_no,
        calendar,
        zone,
        local_on,
        from_minute,
        to_minute,
        UNNEST(
            RANGE(
                TIME_BUCKET(TO_MINUTES(15), midnight_at + TO_MICROSECONDS(899999999)),
                next_midnight_at,
                TO_MINUTES(15)
            )
        ) AS quarter_at
    FROM contact_timetable_day
    WHERE from_minute IS NOT NULL AND next_midnight_at - midnight_at <> TO_HOURS(24)
)
SELECT
    plain.timetable_no,
    plain.calendar,
    plain.zone,
    plain.local_on,
    plain.opens_on_clock - segment.utc_offset AS opens_at
FROM plain
INNER JOIN contact_zone_segment AS segment
    ON
        plain.zone = segment.zone
        AND plain.opens_on_clock >= segment.earlier_from
        AND plain.opens_on_clock < segment.earlier_to
UNION ALL
SELECT
    changed.timetable_no,
    changed.calendar,
    changed.zone,
    changed.local_on,
    changed.quarter_at AS opens_at
FROM changed
INNER JOIN contact_zone_segment AS segment
    ON
        changed.zone = segment.zone
        AND changed.quarter_at >= segment.starts_at
        AND changed.quarter_at < segment.ends_at
WHERE
    EXTRACT(HOUR FROM changed.quarter_at + segment.utc_offset) * 60
    + EXTRACT(MINUTE FROM changed.quarter_at + segment.utc_offset)
    BETWEEN changed.from_minute AND changed.to_minute - 1
