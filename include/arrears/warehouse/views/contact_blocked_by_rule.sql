-- Contacts blocked on every channel, by the rules that blocked them; a contact counts once under each of its rules.
-- Grain: one row per portfolio, business date and rule. Contacts do not sum to contacts_blocked over rules.
-- Of: mart.fct_contact_decision
-- contacts: Contacts of the day blocked on every channel, with this rule among the reasons
SELECT
    decision.portfolio,
    decision.business_date,
    decision.rule_id,
    decision.citation,
    COUNT(DISTINCT decision.case_id) AS contacts
FROM mart.fct_contact_decision AS decision
INNER JOIN mart.fct_contact_plan_daily AS contact_plan
    ON
        decision.portfolio = contact_plan.portfolio
        AND decision.business_date = contact_plan.business_date
        AND decision.case_id = contact_plan.case_id
        AND decision.step_id = contact_plan.step_id
WHERE contact_plan.state_code = 'blocked' AND NOT decision.is_allowed
GROUP BY decision.portfolio, decision.business_date, decision.rule_id, decision.citation
