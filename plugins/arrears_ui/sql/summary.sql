-- The day against the published day before it and the one of a week before.
-- Grain: one row per currency and measure. Amounts in minor units; shares as ratios.
WITH compared AS (
    SELECT
        CAST($business_date AS date) AS business_date,
        (
            SELECT MAX(business_date) FROM bi.daily_summary
            WHERE portfolio = $portfolio AND business_date < $business_date
        ) AS day_before,
        CAST($business_date AS date) - 7 AS week_before
), measured AS (
    SELECT
        one_day.business_date,
        one_day.currency,
        figure.ordinal,
        figure.measure_code,
        figure.unit_code,
        figure.amount
    FROM bi.daily_summary AS one_day
    CROSS JOIN
        LATERAL (
            VALUES
            (1, 'newly_overdue_loans', 'count', one_day.newly_overdue_loans::numeric),
            (2, 'past_due_loans', 'count', one_day.past_due_loans::numeric),
            (3, 'past_due_minor', 'money', one_day.past_due_minor::numeric),
            (4, 'par30_ratio', 'share', one_day.par30_ratio),
            (5, 'cured_loans', 'count', one_day.cured_loans::numeric),
            (6, 'open_cases', 'count', one_day.open_cases::numeric),
            (7, 'assigned_cases', 'count', one_day.assigned_cases::numeric),
            (8, 'contacts_planned', 'count', one_day.contacts_planned::numeric),
            (9, 'contacts_blocked', 'count', one_day.contacts_blocked::numeric),
            (10, 'loans', 'count', one_day.loans::numeric)
        ) AS figure (ordinal, measure_code, unit_code, amount)
    WHERE
        one_day.portfolio = $portfolio
        AND one_day.business_date IN (SELECT UNNEST(ARRAY[business_date, day_before, week_before]) FROM compared)
)
SELECT
    measured.currency,
    measured.measure_code,
    measured.unit_code,
    MAX(measured.amount) FILTER (WHERE measured.business_date = compared.business_date) AS today,
    MAX(measured.amount) FILTER (WHERE measured.business_date = compared.day_before) AS day_before,
    MAX(measured.amount) FILTER (WHERE measured.business_date = compared.week_before) AS week_before,
    compared.day_before AS day_before_on
FROM measured
CROSS JOIN compared
GROUP BY
    measured.currency,
    measured.ordinal,
    measured.measure_code,
    measured.unit_code,
    compared.day_before
ORDER BY measured.currency, measured.ordinal
