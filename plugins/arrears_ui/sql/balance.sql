-- The day's facts against one another: figures that must be equal to the minor unit; a check of many parts in one row.
-- Grain: one row per check.
WITH checked AS (
    SELECT
        check_code,
        COUNT(*) AS comparisons,
        SUM(expected) AS one_side,
        SUM(found) AS other_side,
        SUM(ABS(difference)) AS difference
    FROM bi.reconciliation
    WHERE portfolio = $portfolio AND business_date = $business_date
    GROUP BY check_code
), one_day AS (
    SELECT MIN(currency) AS currency
    FROM bi.daily_summary
    WHERE portfolio = $portfolio AND business_date = $business_date
)
SELECT
    checked.check_code AS balance_code,
    checked.comparisons,
    checked.one_side,
    checked.other_side,
    checked.difference,
    one_day.currency,
    CASE
        WHEN
            checked.check_code IN (
                'past_due_in_buckets', 'past_due_listed', 'principal_of_active_loans', 'events_summed',
                'cash_of_two_ledgers', 'payments_allocated_to_components', 'payments_allocated_by_due_date',
                'entered_arrears'
            )
            THEN 'money'
        ELSE 'count'
    END AS unit_code
FROM checked
CROSS JOIN one_day
ORDER BY checked.difference DESC, unit_code DESC, checked.check_code ASC
