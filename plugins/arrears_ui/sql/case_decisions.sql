-- Every answer of the contact rules about a case on its last published day, with rule and citation.
-- Grain: one row per step, channel, point and rule, at most 200.
SELECT
    business_date,
    step_id,
    channel_code,
    point_rank,
    is_allowed,
    rule_id,
    CASE WHEN rule_id LIKE 'insufficient_facts.%' THEN 'insufficient_facts' ELSE effect_code END AS effect_code,
    citation,
    earliest_at
FROM bi.contact_decision
WHERE portfolio = $portfolio AND case_id = $case_id AND business_date = $business_date
ORDER BY step_id, channel_code, point_rank, is_allowed, rule_id
LIMIT 200
