-- The day in one row; compare dates of one portfolio, never sum over dates.
-- Grain: one row per portfolio, business date and currency.
-- Of: mart.fct_summary_daily, ops.publish_ledger
-- par30_ratio: par30 numerator over denominator, rounded half up to 4 places; NULL when nothing is outstanding
SELECT
    one_day.portfolio,
    one_day.business_date,
    one_day.closing_date,
    one_day.currency,
    one_day.loans,
    one_day.past_due_loans,
    one_day.past_due_minor,
    one_day.newly_overdue_loans,
    one_day.cured_loans,
    one_day.open_cases,
    one_day.assigned_cases,
    one_day.contacts_planned,
    one_day.contacts_blocked,
    one_day.rows_quarantined,
    one_day.par30_numerator_minor,
    one_day.par30_denominator_minor,
    ROUND(one_day.par30_numerator_minor::numeric / NULLIF(one_day.par30_denominator_minor, 0), 4) AS par30_ratio,
    latest.content_hash
FROM mart.fct_summary_daily AS one_day
INNER JOIN LATERAL (
    SELECT ledger.content_hash
    FROM ops.publish_ledger AS ledger
    WHERE ledger.portfolio = one_day.portfolio AND ledger.business_date = one_day.business_date
    ORDER BY ledger.sequence DESC
    LIMIT 1
) AS latest ON TRUE
