-- Entry rate: unpaid at the close of the due date over due that day; and what falls due next.
-- Grain: one row per portfolio, business date, product and currency.
-- Of: mart.fct_entry_daily
-- entry_ratio_loans: entered_loans over due_loans, rounded half up to 4 places; NULL when nothing was due
-- entry_ratio_amount: entered_minor over due_minor, rounded half up to 4 places; NULL when nothing was due
SELECT
    portfolio,
    business_date,
    due_on,
    product_code,
    currency,
    due_loans,
    due_minor,
    entered_loans,
    entered_minor,
    ROUND(entered_loans::numeric / NULLIF(due_loans, 0), 4) AS entry_ratio_loans,
    ROUND(entered_minor::numeric / NULLIF(due_minor, 0), 4) AS entry_ratio_amount,
    next_due_loans,
    next_due_minor
FROM mart.fct_entry_daily
