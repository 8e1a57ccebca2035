-- Grain: dimension x member that the day knows: by configuration, or by the ledger.
-- Rules: ARR-MET-17. Inputs: bucket(code, from_days, to_days), bucket_queue(code, queue_id),
-- core__loan_delinquency_daily, raw__queue, out__assignment_daily, raw__agent_shift, out__contact_plan_daily.
-- Parameters: $forever.
WITH known_queue AS (
    SELECT queue_id FROM raw__queue
    UNION
    SELECT queue_id FROM bucket_queue
    UNION
    SELECT queue_id FROM out__assignment_daily
), member AS (
    SELECT
        'product' AS dimension_code,
        product_code AS member_code,
        NULL AS member_rank,
        NULL AS from_days,
        NULL AS to_days,
        NULL AS queue_ids,
        NULL AS work_mode_code,
        NULL AS avg_handle_seconds,
        NULL AS attempts_per_case,
        NULL AS languages,
        NULL AS version_label
    FROM core__loan_delinquency_daily
    GROUP BY product_code
    UNION ALL BY NAME
    SELECT
        'bucket' AS dimension_code,
        b.code AS member_code,
        ROW_NUMBER() OVER (ORDER BY b.from_days) - 1 AS member_rank,
        b.from_days,
        NULLIF(b.to_days, $forever) AS to_days,
        q.queue_id AS queue_ids
    FROM bucket AS b
    LEFT JOIN bucket_queue AS q ON b.code = q.code
    UNION ALL BY NAME
    SELECT
        'queue' AS dimension_code,
        k.queue_id AS member_code,
        q.work_mode_code,
        q.avg_handle_seconds,
        q.attempts_per_case
    FROM known_queue AS k
    LEFT JOIN raw__queue AS q ON k.queue_id = q.queue_id
    UNION ALL BY NAME
    SELECT
        'agent' AS dimension_code,
        agent_id AS member_code,
        queue_ids,
        languages
    FROM raw__agent_shift
    WHERE shift_on = $business_date
    UNION ALL BY NAME
    SELECT
        'strategy' AS dimension_code,
        SPLIT_PART(strategy, '@', 1) AS member_code,
        MAX(SPLIT_PART(strategy, '@', 2)) AS version_label
    FROM out__contact_plan_daily
    GROUP BY SPLIT_PART(strategy, '@', 1)
)
SELECT
    dimension_code::VARCHAR AS dimension_code,
    member_code::VARCHAR AS member_code,
    member_rank::INTEGER AS member_rank,
    from_days::INTEGER AS from_days,
    to_days::INTEGER AS to_days,
    queue_ids::VARCHAR AS queue_ids,
    work_mode_code::VARCHAR AS work_mode_code,
    avg_handle_seconds::INTEGER AS avg_handle_seconds,
    attempts_per_case::INTEGER AS attempts_per_case,
    languages::VARCHAR AS languages,
    version_label::VARCHAR AS version_label
FROM member
