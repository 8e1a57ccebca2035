-- Agents: what each had to do, did and brought in. The agent id is the source's own pseudonym.
-- Grain: one row per portfolio, business date and agent.
-- Of: mart.fct_agent_daily
-- utilisation: required over productive minutes, rounded half up to 4 places
-- collected_per_hour_minor: collected_minor over productive hours, rounded half up to 2 places; NULL: not available
SELECT
    portfolio,
    business_date,
    agent_id,
    productive_minutes,
    assigned_cases,
    required_minutes,
    attempts,
    right_party_contacts,
    collected_minor,
    currency,
    ROUND(required_minutes::numeric / NULLIF(productive_minutes, 0), 4) AS utilisation,
    ROUND(60 * collected_minor::numeric / NULLIF(productive_minutes, 0), 2) AS collected_per_hour_minor
FROM mart.fct_agent_daily
