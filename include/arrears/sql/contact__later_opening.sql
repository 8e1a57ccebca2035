-- Grain: timetable, calendar, time zone and local date: the first opening of a later date, 399 dates ahead at most.
-- Rules: ARR-CON-01. Inputs: contact_timetable_day, contact_opening.
WITH first_opening AS (
    SELECT
        timetable_day.timetable_no,
        timetable_day.calendar,
        timetable_day.zone,
        timetable_day.local_on,
        MIN(opening.opens_at) AS opens_at
    FROM contact_timetable_day AS timetable_day
    LEFT JOIN contact_opening AS opening
        ON
            timetable_day.timetable_no = opening.timetable_no
            AND timetable_day.calendar = opening.calendar
            AND timetable_day.zone = opening.zone
            AND timetable_day.local_on = opening.local_on
    GROUP BY timetable_day.timetable_no, timetable_day.calendar, timetable_day.zone, timetable_day.local_on
)
SELECT
    timetable_no,
    calendar,
    zone,
    local_on,
    COALESCE(
        MIN(opens_at) OVER (
            PARTITION BY timetable_no, calendar, zone
            ORDER BY local_on
            ROWS BETWEEN 1 FOLLOWING AND 399 FOLLOWING
        ),
        'infinity'::TIMESTAMP
    ) AS opens_at
FROM first_opening
