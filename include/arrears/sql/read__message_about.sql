-- Grain: outbox row that is about to be sent.
-- Inputs: message (case_no, debts), core__loan_delinquency_daily, raw__loan.
-- Every region of residence that the ledger names for its loans, empty text where it names none, and their products.
SELECT
    message.case_no,
    LIST(DISTINCT COALESCE(said.residence_region_code, '')) AS regions,
    LIST(DISTINCT loan.product_code) AS products
FROM message
INNER JOIN core__loan_delinquency_daily AS loan ON LIST_CONTAINS(message.debts, loan.loan_id)
LEFT JOIN raw__loan AS said ON loan.loan_id = said.loan_id
GROUP BY message.case_no
