-- Queue load against capacity, the most loaded first.
-- Grain: one row per queue.
SELECT
    queue_id,
    open_cases,
    assigned_cases,
    overflow_cases,
    held_cases,
    required_minutes,
    available_minutes,
    utilisation
FROM bi.queue_daily
WHERE portfolio = $portfolio AND business_date = $business_date
ORDER BY utilisation DESC NULLS LAST, open_cases DESC, queue_id ASC
