-- The day's books against each other: the same figure from two facts; they must be equal to the minor unit.
-- Grain: one row per currency and figure.
WITH summary AS (
    SELECT
        currency,
        loans,
        past_due_minor,
        newly_overdue_loans,
        par30_denominator_minor
    FROM bi.daily_summary
    WHERE portfolio = $portfolio AND business_date = $business_date
), bucketed AS (
    SELECT
        currency,
        SUM(loans) AS loans,
        SUM(past_due_minor) AS past_due_minor,
        SUM(outstanding_principal_minor) FILTER (WHERE status_code = 'active') AS active_minor
    FROM bi.portfolio_daily
    WHERE portfolio = $portfolio AND business_date = $business_date
    GROUP BY currency
), listed AS (
    SELECT
        currency,
        SUM(past_due_minor) FILTER (WHERE is_open) AS past_due_minor
    FROM bi.loan_daily
    WHERE portfolio = $portfolio AND business_date = $business_date
    GROUP BY currency
), moved AS (
    SELECT
        currency,
        SUM(loans) AS newly_overdue_loans
    FROM bi.delinquency_event_total_daily
    WHERE portfolio = $portfolio AND business_date = $business_date AND event_code = 'newly_overdue'
    GROUP BY currency
)
SELECT
    summary.currency,
    figure.figure_code AS balance_code,
    figure.unit_code,
    figure.one AS one_side,
    figure.other AS other_side,
    figure.other - figure.one AS difference
FROM summary
LEFT JOIN bucketed ON summary.currency = bucketed.currency
LEFT JOIN listed ON summary.currency = listed.currency
LEFT JOIN moved ON summary.currency = moved.currency
CROSS JOIN
    LATERAL (
        VALUES
        (1, 'loans_by_bucket', 'count', summary.loans::numeric, COALESCE(bucketed.loans, 0)),
        (2, 'past_due_by_bucket', 'money', summary.past_due_minor::numeric, COALESCE(bucketed.past_due_minor, 0)),
        (3, 'past_due_by_loan', 'money', summary.past_due_minor::numeric, COALESCE(listed.past_due_minor, 0)),
        (
            4,
            'principal_by_bucket',
            'money',
            summary.par30_denominator_minor::numeric,
            COALESCE(bucketed.active_minor, 0)
        ),
        (
            5,
            'newly_overdue_by_event',
            'count',
            summary.newly_overdue_loans::numeric,
            COALESCE(moved.newly_overdue_loans, 0)
        )
    ) AS figure (ordinal, figure_code, unit_code, one, other)
ORDER BY summary.currency, figure.ordinal
