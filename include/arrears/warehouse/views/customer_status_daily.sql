-- Loans of customers who are non-performing because of one of them. Borrowers are left out.
-- Grain: one row per portfolio, business date and open loan of such a customer.
-- Of: mart.fct_customer_status_daily
SELECT
    portfolio,
    business_date,
    loan_id,
    status_code,
    since_on,
    past_due_days,
    customer_past_due_days
FROM mart.fct_customer_status_daily
