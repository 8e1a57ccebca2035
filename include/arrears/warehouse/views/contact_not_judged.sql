-- Contacts that were made and could not be judged in full, by the missing fact: it makes none of them a breach.
-- Grain: one row per portfolio, business date, missing fact and channel.
-- Of: mart.fct_contact_breach
-- missing_fact: Fact that the ledger does not give, or does not say of a contact that was made
-- contacts: Contacts first known that day for which it is missing
SELECT
    portfolio,
    business_date,
    SUBSTRING(rule_id FROM 20) AS missing_fact,
    channel_code,
    COUNT(*) AS contacts
FROM mart.fct_contact_breach
WHERE effect_code = 'insufficient_facts'
GROUP BY portfolio, business_date, rule_id, channel_code
