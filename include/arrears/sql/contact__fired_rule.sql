-- Grain: candidate and rule that forbids it, facts that are missing first, then in the order of the packs.
-- Inputs: contact_missing, contact_fired_first, contact_rule.
WITH fired AS (
    SELECT candidate_id, rule_no
    FROM contact_missing
    UNION ALL
    SELECT candidate_id, rule_no
    FROM contact_fired_first
)
SELECT
    fired.candidate_id,
    fired.rule_no,
    rule.rule_id,
    rule.citation,
    rule.effect
FROM fired
INNER JOIN contact_rule AS rule ON fired.rule_no = rule.rule_no -- noqa: RF04
