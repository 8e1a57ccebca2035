-- Queues and their handling times.
SELECT
    queue_no AS queue_id,
    work_mode AS work_mode_code,
    avg_handle_seconds,
    attempts_per_case
FROM core_banking.work_queue
