-- Grain: dates on which contacts were made that are asked about together: what people had called inconvenient is the
-- same on all of them. Rules: ARR-CON-08, ARR-CON-12. Inputs: contact_replay, contact_flag.
WITH made AS (
    SELECT
        made_on,
        MIN(day_start) AS day_start
    FROM contact_replay
    GROUP BY made_on
), called AS (
    SELECT
        made.made_on,
        made.day_start,
        LIST(DISTINCT [flag.person_id, flag.code] ORDER BY [flag.person_id, flag.code]) AS times
    FROM made
    LEFT JOIN contact_flag AS flag
        ON
            STARTS_WITH(flag.code, 'inconvenient_time_')
            AND made.day_start >= flag.starts_at
            AND (flag.ends_at IS NULL OR made.day_start < flag.ends_at)
    GROUP BY made.made_on, made.day_start
)
SELECT
    LIST(made_on ORDER BY made_on) AS dates,
    MIN(day_start) AS day_start
FROM called
GROUP BY times
ORDER BY day_start
