-- Who works which case today, and why. The agent id is the source's own pseudonym.
-- Grain: one row per portfolio, business date and open case.
-- Of: mart.fct_assignment_daily
SELECT
    portfolio,
    business_date,
    case_id,
    queue_id,
    agent_id,
    is_assigned,
    reason_code,
    reason,
    required_minutes,
    work_rank,
    team_id,
    agent_since_on
FROM mart.fct_assignment_daily
