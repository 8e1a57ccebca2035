-- Newly overdue loans, the largest past-due amounts first.
-- Grain: one row per loan, at most 200.
SELECT
    moved.loan_id,
    moved.product_code,
    moved.currency,
    loan.past_due_on,
    moved.past_due_minor,
    loan.past_due_instalments,
    loan.outstanding_principal_minor
FROM bi.delinquency_event_daily AS moved
LEFT JOIN bi.loan_daily AS loan
    ON
        moved.portfolio = loan.portfolio
        AND moved.business_date = loan.business_date
        AND moved.loan_id = loan.loan_id
WHERE moved.portfolio = $portfolio AND moved.business_date = $business_date AND moved.event_code = 'newly_overdue'
ORDER BY moved.past_due_minor DESC, moved.loan_id ASC
LIMIT 200
