-- Grain: queue. Inputs: raw__queue.
SELECT queue_id, work_mode_code, avg_handle_seconds, attempts_per_case
FROM raw__queue
