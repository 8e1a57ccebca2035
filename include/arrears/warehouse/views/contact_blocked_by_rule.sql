-- Contacts blocked on every channel, by the rules that blocked them, and the share of all candidates each rule stops.
-- A candidate is a case, step, channel and contact point asked about; it counts once under each of its rules.
-- Grain: one row per portfolio, business date and rule. Neither contacts nor candidates sum to a total over rules.
-- Of: mart.fct_contact_decision
-- contacts: Contacts of the day blocked on every channel, with this rule among the reasons
-- blocked_candidates: Candidates of the day that this rule forbids
-- candidates: Candidates of the day
-- blocked_share: Candidates this rule forbids over candidates of the day, rounded half up to 4 places
WITH candidate AS (
    SELECT DISTINCT
        portfolio,
        business_date,
        case_id,
        step_id,
        channel_code,
        point_rank
    FROM mart.fct_contact_decision
), day_total AS (
    SELECT
        portfolio,
        business_date,
        COUNT(*) AS candidates
    FROM candidate
    GROUP BY portfolio, business_date
)
SELECT
    decision.portfolio,
    decision.business_date,
    decision.rule_id,
    decision.citation,
    COUNT(DISTINCT decision.case_id) FILTER (WHERE contact_plan.state_code = 'blocked') AS contacts,
    decision.effect_code,
    COUNT(*) AS blocked_candidates,
    day_total.candidates,
    ROUND(COUNT(*)::numeric / day_total.candidates, 4) AS blocked_share
FROM mart.fct_contact_decision AS decision
INNER JOIN mart.fct_contact_plan_daily AS contact_plan
    ON
        decision.portfolio = contact_plan.portfolio
        AND decision.business_date = contact_plan.business_date
        AND decision.case_id = contact_plan.case_id
        AND decision.step_id = contact_plan.step_id
INNER JOIN day_total
    ON
        decision.portfolio = day_total.portfolio
        AND decision.business_date = day_total.business_date
WHERE NOT decision.is_allowed
GROUP BY
    decision.portfolio,
    decision.business_date,
    decision.rule_id,
    decision.citation,
    decision.effect_code,
    day_total.candidates
