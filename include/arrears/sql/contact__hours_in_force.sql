-- Grain: candidate asked about for a day: its hours rules in force, the times its person has called inconvenient
-- where a
-- rule heeds them, its zones and its holidays. Rules: ARR-CON-01, ARR-CON-08.
-- Inputs: contact_ask, contact_minding, contact_lift, contact_barred_time.
WITH in_force AS (
    SELECT
        ask.candidate_id,
        LIST(minding.rule_no ORDER BY minding.rule_no) AS rule_nos,
        BOOL_OR(minding.kind = 'inconvenient') AS heeds_times
    FROM contact_ask AS ask
    INNER JOIN contact_minding AS minding
        ON
            ask.scope_id = minding.scope_id
            AND minding.kind IN ('hours', 'inconvenient')
            AND ask.valid_on >= minding.valid_from
            AND ask.valid_on < minding.valid_to
    LEFT JOIN contact_lift AS lift
        ON ask.candidate_id = lift.candidate_id AND minding.rule_no = lift.rule_no
    WHERE NOT COALESCE(lift.is_lifted, FALSE)
    GROUP BY ask.candidate_id
), heeded AS (
    SELECT
        barred.candidate_id,
        LIST(
            { 'weekdays': barred.weekdays, 'start': barred.start_minute, 'end': barred.end_minute }
            ORDER BY barred.start_minute, barred.end_minute, barred.weekdays
        ) AS times
    FROM contact_barred_time AS barred
    INNER JOIN in_force ON barred.candidate_id = in_force.candidate_id AND in_force.heeds_times
    GROUP BY barred.candidate_id
)
SELECT
    ask.candidate_id,
    COALESCE(in_force.rule_nos, []) AS rule_nos,
    COALESCE(heeded.times, []) AS times,
    ask.zones_id,
    ask.calendar,
    ask.asked_at,
    ask.until_at
FROM contact_ask AS ask
LEFT JOIN in_force ON ask.candidate_id = in_force.candidate_id
LEFT JOIN heeded ON ask.candidate_id = heeded.candidate_id
WHERE ask.first_zone IS NOT NULL
