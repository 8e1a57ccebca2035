-- Grain: time of the week that a person who is due a step has called inconvenient (contact_inconvenient): a flag
-- inconvenient_time_<weekday|all>_<from>_<to> with the hours as hhmm, in force at the beginning of the day. One whose
-- rest cannot be read bars all week. Its scalar twin is rules.hours.barred_time_named.
-- Rules: ARR-CON-08. Inputs: contact_flag. Parameters: day_start.
WITH said AS (
    SELECT
        person_id,
        REGEXP_EXTRACT(
            code,
            '^inconvenient_time_(mon|tue|wed|thu|fri|sat|sun|all)_'
            || '([01][0-9]|2[0-4])([0-5][0-9])_([01][0-9]|2[0-4])([0-5][0-9])$',
            ['weekday', 'from_hour', 'from_minute', 'to_hour', 'to_minute']
        ) AS part
    FROM contact_flag
    WHERE
        STARTS_WITH(code, 'inconvenient_time_')
        AND starts_at <= $day_start
        AND (ends_at IS NULL OR ends_at > $day_start)
)
SELECT
    said.person_id,
    CASE
        WHEN part.weekday IN ('', 'all') THEN [0, 1, 2, 3, 4, 5, 6]
        ELSE [LIST_POSITION(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], part.weekday) - 1]
    END AS weekdays,
    COALESCE(CAST(NULLIF(part.from_hour, '') AS INTEGER) * 60 + CAST(NULLIF(part.from_minute, '') AS INTEGER), 0)
        AS start_minute,
    COALESCE(CAST(NULLIF(part.to_hour, '') AS INTEGER) * 60 + CAST(NULLIF(part.to_minute, '') AS INTEGER), 1440)
        AS end_minute,
    CAST([] AS VARCHAR[]) AS channels
FROM said
