-- Which loans past due a case is about: all of its borrower's. Borrowers are left out.
-- Grain: one row per portfolio, business date, case and loan past due.
-- Of: mart.fct_loan_daily, mart.fct_case_daily
SELECT
    one_case.portfolio,
    one_case.business_date,
    one_case.case_id,
    loan.loan_id
FROM mart.fct_case_daily AS one_case
INNER JOIN mart.fct_loan_daily AS loan
    ON
        one_case.portfolio = loan.portfolio
        AND one_case.business_date = loan.business_date
        AND one_case.borrower_id = loan.borrower_id
WHERE loan.past_due_days > 0
