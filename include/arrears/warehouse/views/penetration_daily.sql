-- Penetration 覆盖率 and intensity 渗透率: of the cases that stood in a queue on the day compared with, how many were
-- tried since, and how often.
-- Grain: one row per portfolio, business date and queue.
-- Of: mart.fct_queue_daily
-- cases: Cases that stood in the queue on the day compared with
-- attempted_cases: Of them, cases with an outgoing attempt known today
-- attempts: Those attempts
-- penetration_ratio: attempted_cases over cases, rounded half up to 4 places
-- intensity_ratio: attempts over cases, rounded half up to 4 places
WITH tried AS (
    SELECT
        portfolio,
        business_date,
        queue_id,
        COUNT(DISTINCT case_id) AS attempted_cases,
        COUNT(*) AS attempts
    FROM mart.fct_contact_attempt
    WHERE direction_code = 'out' AND queue_id IS NOT NULL
    GROUP BY portfolio, business_date, queue_id
)
SELECT
    queue.portfolio,
    queue.business_date,
    queue.queue_id,
    queue.carried_cases + queue.left_cases AS cases,
    COALESCE(tried.attempted_cases, 0) AS attempted_cases,
    COALESCE(tried.attempts, 0) AS attempts,
    ROUND(
        COALESCE(tried.attempted_cases, 0)::numeric / NULLIF(queue.carried_cases + queue.left_cases, 0), 4
    ) AS penetration_ratio,
    ROUND(COALESCE(tried.attempts, 0)::numeric / NULLIF(queue.carried_cases + queue.left_cases, 0), 4)
        AS intensity_ratio
FROM mart.fct_queue_daily AS queue
LEFT JOIN tried
    ON
        queue.portfolio = tried.portfolio
        AND queue.business_date = tried.business_date
        AND queue.queue_id = tried.queue_id
