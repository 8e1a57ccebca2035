-- Grain: candidate asked about and rule that fires, with an instant before which it cannot fall silent.
-- Inputs: contact_firing (candidate_id, rule_no, clears_at), contact_replied, contact_lift, contact_ask,
-- contact_minding,
-- contact_later_inbound, contact_zone_day.
WITH next_inbound AS (
    SELECT ask.candidate_id, MIN(inbound.started_at) AS started_at
    FROM contact_ask AS ask
    INNER JOIN contact_later_inbound AS inbound
        ON ask.candidate_id = inbound.candidate_id AND ask.asked_at < inbound.started_at
    GROUP BY ask.candidate_id
)
SELECT
    firing.candidate_id,
    firing.rule_no,
    LEAST(
        firing.clears_at,
        COALESCE(lift.lifted_at, 'infinity'::TIMESTAMP),
        COALESCE(rule_end.midnight_at, 'infinity'::TIMESTAMP),
        CASE
            WHEN minding.tolerates_reply THEN COALESCE(next_inbound.started_at, 'infinity'::TIMESTAMP)
            ELSE 'infinity'::TIMESTAMP
        END
    ) AS clears_at
FROM contact_firing AS firing
INNER JOIN contact_ask AS ask ON firing.candidate_id = ask.candidate_id
INNER JOIN contact_minding AS minding ON ask.scope_id = minding.scope_id AND firing.rule_no = minding.rule_no
LEFT JOIN contact_lift AS lift
    ON firing.candidate_id = lift.candidate_id AND firing.rule_no = lift.rule_no
LEFT JOIN contact_zone_day AS rule_end
    ON ask.first_zone = rule_end.zone AND minding.valid_to = rule_end.local_on AND ask.asked_at < rule_end.midnight_at
LEFT JOIN next_inbound ON firing.candidate_id = next_inbound.candidate_id
LEFT JOIN contact_replied AS replied
    ON firing.candidate_id = replied.candidate_id AND firing.rule_no = replied.rule_no
WHERE NOT COALESCE(lift.is_lifted, FALSE) AND replied.candidate_id IS NULL
