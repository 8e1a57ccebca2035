-- Case and queue load, and capacity. Carried and entered make the open cases; carried and left, those of the day
-- compared with.
-- Grain: one row per portfolio, business date and queue.
-- Of: mart.fct_queue_daily
-- utilisation: required over available minutes, rounded half up to 4 places; above 1 is overload; NULL without agents
SELECT
    portfolio,
    business_date,
    queue_id,
    open_cases,
    assigned_cases,
    overflow_cases,
    held_cases,
    required_minutes,
    available_minutes,
    past_due_minor,
    ROUND(required_minutes::numeric / NULLIF(available_minutes, 0), 4) AS utilisation,
    carried_cases,
    entered_cases,
    left_cases
FROM mart.fct_queue_daily
