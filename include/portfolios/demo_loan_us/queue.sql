-- Queues and their handling times.
SELECT
    queue_id,
    work_mode_code,
    avg_handle_seconds,
    attempts_per_case,
    source_file,
    source_line
FROM queue
