-- Who stands in which role to which loan by the close.
SELECT
    loan_no AS loan_id,
    customer_no AS party_id,
    role AS role_code,
    is_obligor
FROM core_banking.loan_role
WHERE known_on <= :closing_date
