-- Rows in and out of every step of a run, in the order the steps ended.
-- Grain: one row per task, direction and table.
WITH step AS (
    SELECT
        task,
        direction_code,
        table_name,
        rows,
        rejected,
        is_done,
        seconds,
        content_hash,
        MIN(at) OVER (PARTITION BY task) AS task_at
    FROM bi.run_step
    WHERE portfolio = $portfolio AND run_ref = $run_ref
)
SELECT
    task,
    direction_code,
    table_name,
    rows,
    rejected,
    is_done,
    seconds,
    content_hash
FROM step
ORDER BY task_at, task, direction_code, table_name
