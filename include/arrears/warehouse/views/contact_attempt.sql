-- Contacts made, each on the day it became known. Parties and points are left out.
-- Grain: one row per portfolio, business date and contact.
-- Of: mart.fct_contact_attempt
-- queue_id: Queue of the case on the day before; unknown: there was none
-- agent_id: Agent who made it, the source's own pseudonym; unknown: a machine, or not said [pseudonym]
SELECT
    portfolio,
    business_date,
    contact_id,
    case_id,
    COALESCE(queue_id, 'unknown') AS queue_id,
    COALESCE(agent_id, 'unknown') AS agent_id,
    channel_code,
    direction_code,
    purpose_code,
    started_at,
    made_on,
    outcome_code,
    is_connected,
    right_party,
    is_promise
FROM mart.fct_contact_attempt
