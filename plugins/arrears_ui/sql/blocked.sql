-- Which rules block most contacts.
-- Grain: one row per rule. Contacts do not sum over rules: several may block one.
SELECT
    rule_id,
    citation,
    CASE WHEN rule_id LIKE 'insufficient_facts.%' THEN 'insufficient_facts' ELSE effect_code END AS effect_code,
    contacts,
    blocked_candidates,
    candidates,
    blocked_share
FROM bi.contact_blocked_by_rule
WHERE portfolio = $portfolio AND business_date = $business_date
ORDER BY contacts DESC, blocked_candidates DESC, rule_id ASC
LIMIT 200
