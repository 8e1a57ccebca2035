-- Grain: contact that was made on the date asked about, with the rules that fire for it and the facts that are missing.
-- A rule that fires in some of the zones the person may have been in, and not in all, wants the zone.
-- Rules: ARR-CON-12. Inputs: contact_replay, contact_candidate, contact_fired_rule.
WITH asked AS (
    SELECT
        replay_id,
        COUNT(*) AS zones
    FROM contact_candidate
    GROUP BY replay_id
), fired AS (
    SELECT
        candidate.replay_id,
        firing.rule_id,
        MIN(firing.rule_no) AS rule_no,
        COUNT(*) AS zones
    FROM contact_fired_rule AS firing
    INNER JOIN contact_candidate AS candidate ON firing.candidate_id = candidate.candidate_id
    GROUP BY candidate.replay_id, firing.rule_id
), listed AS (
    SELECT
        fired.replay_id,
        LIST(fired.rule_id ORDER BY fired.rule_no, fired.rule_id) FILTER (
            WHERE fired.zones = asked.zones AND fired.rule_id NOT LIKE 'insufficient_facts.%'
        ) AS rules,
        LIST(fired.rule_id ORDER BY fired.rule_id) FILTER (WHERE fired.rule_id LIKE 'insufficient_facts.%') AS facts,
        BOOL_OR(fired.zones < asked.zones) AS wants_zone
    FROM fired
    INNER JOIN asked ON fired.replay_id = asked.replay_id
    GROUP BY fired.replay_id
)
SELECT
    contact.contact_id,
    contact.case_id,
    contact.person_id,
    contact.channel_code,
    contact.purpose_code,
    contact.started_at,
    contact.party,
    contact.loan_ids,
    COALESCE(listed.rules, []) AS fired,
    CASE
        WHEN listed.wants_zone THEN LIST_APPEND(COALESCE(listed.facts, []), 'insufficient_facts.time_zone')
        ELSE COALESCE(listed.facts, [])
    END AS missing
FROM contact_replay AS contact
INNER JOIN asked ON contact.replay_id = asked.replay_id
LEFT JOIN listed ON contact.replay_id = listed.replay_id
ORDER BY contact.replay_id
