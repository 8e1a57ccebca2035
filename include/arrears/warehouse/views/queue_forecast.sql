-- Tomorrow's load of each queue: its open cases, less what leaves it, plus what enters it. Over the 28 business dates
-- up to the day: leaving is the share of a queue's cases that left it; entering is what entered it for each loan that
-- had fallen due, times the loans that fall due today.
-- Grain: one row per portfolio, business date and queue.
-- Of: mart.fct_queue_daily
-- forecast_on: The business date that is forecast
-- leaving_cases: Open cases expected to leave, rounded half up to 2 places
-- entering_cases: Cases expected to enter, rounded half up to 2 places
-- forecast_cases: Cases expected to be open, rounded to a whole one; NULL: no day to learn from
-- minutes_per_case: Handling minutes of an open case today; NULL when there is none
-- forecast_minutes: Handling minutes expected
WITH due AS (
    SELECT
        portfolio,
        business_date,
        SUM(due_loans) AS due_loans,
        SUM(next_due_loans) AS next_due_loans
    FROM mart.fct_entry_daily
    GROUP BY portfolio, business_date
), learned AS (
    SELECT
        today.portfolio,
        today.business_date,
        today.queue_id,
        SUM(earlier.left_cases) AS left_cases,
        SUM(earlier.carried_cases + earlier.left_cases) AS stood_cases,
        SUM(earlier.entered_cases) AS entered_cases,
        SUM(COALESCE(due.due_loans, 0)) AS due_loans
    FROM mart.fct_queue_daily AS today
    INNER JOIN mart.fct_queue_daily AS earlier
        ON
            today.portfolio = earlier.portfolio
            AND today.queue_id = earlier.queue_id
            AND earlier.business_date > today.business_date - 28
            AND today.business_date >= earlier.business_date
    INNER JOIN mart.fct_summary_daily AS one_day
        ON
            earlier.portfolio = one_day.portfolio
            AND earlier.business_date = one_day.business_date
            AND one_day.compared_with = earlier.business_date - 1
    LEFT JOIN due ON earlier.portfolio = due.portfolio AND earlier.business_date = due.business_date
    GROUP BY today.portfolio, today.business_date, today.queue_id
), expected AS (
    SELECT
        queue.portfolio,
        queue.business_date,
        queue.queue_id,
        queue.open_cases,
        queue.required_minutes,
        queue.open_cases * learned.left_cases::numeric / NULLIF(learned.stood_cases, 0) AS leaving_cases,
        COALESCE(due.next_due_loans, 0) * learned.entered_cases::numeric / NULLIF(learned.due_loans, 0)
            AS entering_cases
    FROM mart.fct_queue_daily AS queue
    LEFT JOIN learned
        ON
            queue.portfolio = learned.portfolio
            AND queue.business_date = learned.business_date
            AND queue.queue_id = learned.queue_id
    LEFT JOIN due ON queue.portfolio = due.portfolio AND queue.business_date = due.business_date
)
SELECT
    portfolio,
    business_date,
    business_date + 1 AS forecast_on,
    queue_id,
    open_cases,
    ROUND(leaving_cases, 2) AS leaving_cases,
    ROUND(entering_cases, 2) AS entering_cases,
    ROUND(open_cases - leaving_cases + entering_cases, 0)::bigint AS forecast_cases,
    ROUND(required_minutes::numeric / NULLIF(open_cases, 0), 2) AS minutes_per_case,
    ROUND(
        (open_cases - leaving_cases + entering_cases) * required_minutes::numeric / NULLIF(open_cases, 0), 0
    )::bigint AS forecast_minutes
FROM expected
