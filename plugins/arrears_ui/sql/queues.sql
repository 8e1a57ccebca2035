-- Queue load against capacity, the most loaded first, and what tomorrow is expected to bring.
-- Grain: one row per queue.
SELECT
    queue.queue_id,
    queue.open_cases,
    queue.assigned_cases,
    queue.overflow_cases,
    queue.held_cases,
    queue.required_minutes,
    queue.available_minutes,
    queue.utilisation,
    forecast.forecast_cases,
    forecast.forecast_minutes
FROM bi.queue_daily AS queue
LEFT JOIN bi.queue_forecast AS forecast
    ON
        queue.portfolio = forecast.portfolio
        AND queue.business_date = forecast.business_date
        AND queue.queue_id = forecast.queue_id
        AND forecast.portfolio = $portfolio
        AND forecast.business_date = $business_date
WHERE queue.portfolio = $portfolio AND queue.business_date = $business_date
ORDER BY queue.utilisation DESC NULLS LAST, queue.open_cases DESC, queue.queue_id ASC
