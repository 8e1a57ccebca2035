-- Every answer of the contact policy, denials too, with rule and citation.
-- Grain: one row per portfolio, business date, case, step, channel, point and rule that fired; one when allowed.
-- Of: mart.fct_contact_decision
SELECT
    portfolio,
    business_date,
    case_id,
    step_id,
    channel_code,
    is_allowed,
    rule_id,
    citation,
    effect_code,
    earliest_at,
    point_rank,
    packs
FROM mart.fct_contact_decision
