-- Why loans are newly overdue: what fell due at the last close, and how much of it stayed unpaid, by product.
-- Grain: one row per product and currency.
SELECT
    product_code,
    currency,
    due_on,
    due_loans,
    entered_loans,
    entry_ratio_loans,
    due_minor,
    entered_minor
FROM bi.entry_daily
WHERE portfolio = $portfolio AND business_date = $business_date
ORDER BY entered_loans DESC, product_code ASC, currency ASC
