-- Grain: timetable, calendar of holidays, time zone and local date. Open minutes; the first opening of a later date.
-- Rules: ARR-CON-01. Inputs: contact_candidate_coded, contact_minding, contact_zone_member, contact_timetable (weekday
-- 1..7, or 0 for a holiday that is minded), contact_holiday, contact_zone_day.
WITH needed AS (
    SELECT DISTINCT
        minding.timetable_no,
        minding.minds_holidays,
        candidate.calendar,
        member.zone
    FROM contact_candidate_coded AS candidate
    INNER JOIN contact_minding AS minding ON candidate.scope_id = minding.scope_id AND minding.kind = 'hours'
    INNER JOIN contact_zone_member AS member ON candidate.zones_id = member.zones_id
), dated AS (
    SELECT
        needed.timetable_no,
        needed.calendar,
        needed.zone,
        zone_day.local_on,
        zone_day.midnight_at,
        zone_day.next_midnight_at,
        CASE
            WHEN needed.minds_holidays AND holiday.local_on IS NOT NULL THEN 0
            ELSE ISODOW(zone_day.local_on)
        END AS weekday -- noqa: RF04
    FROM needed
    INNER JOIN contact_zone_day AS zone_day ON needed.zone = zone_day.zone
    LEFT JOIN contact_holiday AS holiday
        ON needed.calendar = holiday.calendar AND zone_day.local_on = holiday.local_on
)
SELECT
    dated.timetable_no,
    dated.calendar,
    dated.zone,
    dated.local_on,
    dated.midnight_at,
    dated.next_midnight_at,
    timetable.from_minute,
    timetable.to_minute
FROM dated
LEFT JOIN contact_timetable AS timetable
    ON dated.timetable_no = timetable.timetable_no AND dated.weekday = timetable.weekday
