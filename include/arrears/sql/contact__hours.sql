-- Grain: candidate asked about and hours rule that is shut in a zone the person may be in.
-- Rules: ARR-CON-01. Inputs: contact_ask, contact_minding, contact_zone_member, contact_zone_segment,
-- contact_timetable_day, contact_opening, contact_later_opening.
WITH clocked AS (
    SELECT
        ask.candidate_id,
        ask.asked_at,
        minding.rule_no,
        minding.timetable_no,
        ask.calendar,
        member.zone,
        ask.asked_at + segment.utc_offset AS shown_at
    FROM contact_ask AS ask
    INNER JOIN contact_minding AS minding
        ON
            ask.scope_id = minding.scope_id
            AND minding.kind = 'hours'
            AND ask.valid_on >= minding.valid_from
            AND ask.valid_on < minding.valid_to
    INNER JOIN contact_zone_member AS member ON ask.zones_id = member.zones_id
    INNER JOIN contact_zone_segment AS segment
        ON member.zone = segment.zone AND ask.asked_at >= segment.starts_at AND ask.asked_at < segment.ends_at
), shut AS (
    SELECT
        clocked.candidate_id,
        clocked.asked_at,
        clocked.rule_no,
        clocked.timetable_no,
        clocked.calendar,
        clocked.zone,
        timetable_day.local_on
    FROM clocked
    INNER JOIN contact_timetable_day AS timetable_day
        ON
            clocked.timetable_no = timetable_day.timetable_no
            AND clocked.calendar = timetable_day.calendar
            AND clocked.zone = timetable_day.zone
            AND CAST(clocked.shown_at AS DATE) = timetable_day.local_on
    WHERE
        timetable_day.from_minute IS NULL
        OR EXTRACT(HOUR FROM clocked.shown_at) * 60 + EXTRACT(MINUTE FROM clocked.shown_at) < timetable_day.from_minute
        OR EXTRACT(HOUR FROM clocked.shown_at) * 60 + EXTRACT(MINUTE FROM clocked.shown_at) >= timetable_day.to_minute
), opening_of_zone AS (
    SELECT
        shut.candidate_id,
        shut.rule_no,
        shut.zone,
        MIN(COALESCE(opening.opens_at, later.opens_at)) AS opens_at
    FROM shut
    LEFT JOIN contact_opening AS opening
        ON
            shut.timetable_no = opening.timetable_no
            AND shut.calendar = opening.calendar
            AND shut.zone = opening.zone
            AND shut.local_on = opening.local_on
            AND shut.asked_at < opening.opens_at
    INNER JOIN contact_later_opening AS later
        ON
            shut.timetable_no = later.timetable_no
            AND shut.calendar = later.calendar
            AND shut.zone = later.zone
            AND shut.local_on = later.local_on
    GROUP BY shut.candidate_id, shut.rule_no, shut.zone
)
SELECT
    candidate_id,
    rule_no,
    MAX(opens_at) AS clears_at
FROM opening_of_zone
GROUP BY candidate_id, rule_no
