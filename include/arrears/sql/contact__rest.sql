-- Grain: candidate asked about and rest that the beginning of a flag started; its first date is day 1.
-- Rules: ARR-CON-03. Inputs: contact_ask, contact_minding, contact_rule_word, contact_flag_concerning,
-- contact_zone_day, contact_day.
WITH last_day AS (
    SELECT MAX(local_on) AS local_on
    FROM contact_day
), rested AS (
    SELECT
        ask.candidate_id,
        ask.asked_at,
        minding.rule_no,
        CASE
            WHEN flag.began_on IS NULL OR flag.began_on + minding.days > last_day.local_on THEN 'infinity'::TIMESTAMP
            ELSE zone_day.midnight_at
        END AS rested_at
    FROM contact_ask AS ask
    INNER JOIN contact_flag_concerning AS flag
        ON ask.candidate_id = flag.candidate_id AND ask.until_at > flag.starts_at
    INNER JOIN contact_rule_word AS word
        ON ask.scope_id = word.scope_id AND word.use = 'after_flags' AND flag.code = word.word
    INNER JOIN contact_minding AS minding
        ON
            word.scope_id = minding.scope_id
            AND word.rule_no = minding.rule_no
            AND minding.kind = 'rest'
            AND ask.valid_on >= minding.valid_from
            AND ask.valid_on < minding.valid_to
    CROSS JOIN last_day
    LEFT JOIN contact_zone_day AS zone_day
        ON ask.first_zone = zone_day.zone AND flag.began_on + minding.days = zone_day.local_on
    WHERE ask.first_zone IS NOT NULL
)
SELECT
    candidate_id,
    rule_no,
    MAX(rested_at) AS clears_at
FROM rested
GROUP BY candidate_id, rule_no, asked_at
HAVING MAX(rested_at) > asked_at
