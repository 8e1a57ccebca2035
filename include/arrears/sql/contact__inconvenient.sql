-- Grain: candidate asked about and rule that heeds a time called inconvenient, which holds in a zone of the person.
-- It clears when that time is over, or, where the clock changes before, step by step.
-- Rules: ARR-CON-08. Inputs: contact_ask, contact_minding, contact_barred_time, contact_zone_member,
-- contact_zone_segment.
WITH clocked AS (
    SELECT
        ask.candidate_id,
        ask.asked_at,
        minding.rule_no,
        barred.weekdays,
        barred.start_minute,
        barred.end_minute,
        segment.utc_offset,
        segment.ends_at AS clock_changes_at,
        CAST(ask.asked_at + segment.utc_offset AS DATE) AS today,
        EXTRACT(HOUR FROM ask.asked_at + segment.utc_offset) * 60
        + EXTRACT(MINUTE FROM ask.asked_at + segment.utc_offset) AS minute_of_day
    FROM contact_ask AS ask
    INNER JOIN contact_minding AS minding
        ON
            ask.scope_id = minding.scope_id
            AND minding.kind = 'inconvenient'
            AND ask.valid_on >= minding.valid_from
            AND ask.valid_on < minding.valid_to
    INNER JOIN contact_barred_time AS barred ON ask.candidate_id = barred.candidate_id
    INNER JOIN contact_zone_member AS member ON ask.zones_id = member.zones_id
    INNER JOIN contact_zone_segment AS segment
        ON member.zone = segment.zone AND ask.asked_at >= segment.starts_at AND ask.asked_at < segment.ends_at
), barring AS (
    SELECT
        clocked.*,
        CASE
            WHEN clocked.start_minute < clocked.end_minute
                THEN
                    CASE
                        WHEN
                            LIST_CONTAINS(clocked.weekdays, ISODOW(clocked.today) - 1)
                            AND clocked.minute_of_day >= clocked.start_minute
                            AND clocked.minute_of_day < clocked.end_minute
                            THEN clocked.today
                    END
            WHEN
                LIST_CONTAINS(clocked.weekdays, ISODOW(clocked.today) - 1)
                AND clocked.minute_of_day >= clocked.start_minute
                THEN clocked.today
            WHEN
                LIST_CONTAINS(clocked.weekdays, ISODOW(clocked.today - 1) - 1)
                AND clocked.minute_of_day < clocked.end_minute
                THEN clocked.today - 1
        END AS began_on
    FROM clocked
), over AS (
    SELECT
        candidate_id,
        rule_no,
        asked_at,
        clock_changes_at,
        CAST(began_on + CASE WHEN end_minute <= start_minute THEN 1 ELSE 0 END AS TIMESTAMP)
        + TO_MINUTES(end_minute) - utc_offset AS over_at
    FROM barring
    WHERE began_on IS NOT NULL
)
SELECT
    candidate_id,
    rule_no,
    MAX(
        CASE
            WHEN over_at > asked_at AND over_at < clock_changes_at THEN over_at
            ELSE TIME_BUCKET(TO_MINUTES(15), asked_at + TO_MINUTES(1) + TO_MICROSECONDS(899999999))
        END
    ) AS clears_at
FROM over
GROUP BY candidate_id, rule_no
