-- The day in one row; compare dates of one portfolio, never sum over dates.
-- Grain: one row per portfolio, business date and currency.
-- Of: mart.fct_summary_daily, ops.publish_ledger
-- par30_ratio: par30 numerator over denominator, rounded half up to 4 places; NULL when nothing is outstanding
SELECT
    summary.portfolio,
    summary.business_date,
    summary.closing_date,
    summary.currency,
    summary.loans,
    summary.past_due_loans,
    summary.past_due_minor,
    summary.newly_overdue_loans,
    summary.cured_loans,
    summary.open_cases,
    summary.assigned_cases,
    summary.contacts_planned,
    summary.contacts_blocked,
    summary.rows_quarantined,
    summary.par30_numerator_minor,
    summary.par30_denominator_minor,
    ROUND(summary.par30_numerator_minor::numeric / NULLIF(summary.par30_denominator_minor, 0), 4) AS par30_ratio,
    latest.content_hash
FROM mart.fct_summary_daily AS summary
INNER JOIN LATERAL (
    SELECT ledger.content_hash
    FROM ops.publish_ledger AS ledger
    WHERE ledger.portfolio = summary.portfolio AND ledger.business_date = summary.business_date
    ORDER BY ledger.sequence DESC
    LIMIT 1
) AS latest ON TRUE
