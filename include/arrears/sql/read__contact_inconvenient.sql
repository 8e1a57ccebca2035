-- Grain: time of the week that a person who is due a step has called inconvenient (contact_inconvenient): a flag
-- inconvenient_time_<weekday|all>_<from>_<to> with the hours as hhmm, in force at the beginning of the day.
-- Rules: ARR-CON-08. Inputs: contact_flag. Parameters: day_start.
WITH said AS (
    SELECT
        person_id,
        REGEXP_EXTRACT(
            code,
            '^inconvenient_time_(mon|tue|wed|thu|fri|sat|sun|all)_([0-9]{2})([0-9]{2})_([0-9]{2})([0-9]{2})$',
            ['weekday', 'from_hour', 'from_minute', 'to_hour', 'to_minute']
        ) AS part
    FROM contact_flag
    WHERE code LIKE 'inconvenient_time_%' AND starts_at <= $day_start AND (ends_at IS NULL OR ends_at > $day_start)
)
SELECT
    said.person_id,
    CASE part.weekday
        WHEN 'all' THEN [0, 1, 2, 3, 4, 5, 6]
        ELSE [LIST_POSITION(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], part.weekday) - 1]
    END AS weekdays,
    CAST(part.from_hour AS INTEGER) * 60 + CAST(part.from_minute AS INTEGER) AS start_minute,
    CAST(part.to_hour AS INTEGER) * 60 + CAST(part.to_minute AS INTEGER) AS end_minute,
    CAST([] AS VARCHAR[]) AS channels
FROM said
WHERE part.weekday <> ''
