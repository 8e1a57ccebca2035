-- Rows in and out of every step of a run, as its last try told; of a step at work, how far it is.
-- Grain: one row per portfolio, run, task, table and direction.
-- Of: ops.run_step
SELECT
    portfolio,
    business_date,
    run_ref,
    task,
    table_name,
    direction_code,
    rows,
    rejected,
    is_done,
    content_hash,
    seconds,
    at
FROM ops.run_step
