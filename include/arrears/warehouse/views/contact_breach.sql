-- Contacts that were made although a rule valid then forbade them on facts that are known, whoever made them. Effect
-- deny is a breach of law, presumption and soft want a look, house is a departure from rules of our own.
-- Grain: one row per portfolio, contact and rule; the business date is the one on which the contact became known.
-- Of: mart.fct_contact_breach
SELECT
    portfolio,
    business_date,
    contact_id,
    case_id,
    loan_id,
    channel_code,
    purpose_code,
    occurred_at,
    rule_id,
    pack,
    citation,
    effect_code
FROM mart.fct_contact_breach
WHERE effect_code <> 'insufficient_facts'
