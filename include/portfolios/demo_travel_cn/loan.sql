-- Loans disbursed by the close, with the status and balance that held at it, and the system's own count of arrears where
-- it listed them at that close.
SELECT
    agreed.loan_no AS loan_id,
    agreed.customer_no AS borrower_id,
    agreed.product AS product_code,
    agreed.currency,
    agreed.principal_minor,
    agreed.disbursed_on,
    agreed.maturity_on,
    held.status AS status_code,
    held.status_on,
    agreed.grace_days,
    held.outstanding_principal_minor,
    CASE
        WHEN EXISTS (SELECT 1 FROM core_banking.arrears_list WHERE closed_on = :closing_date)
            THEN COALESCE(listed.past_due_days, 0)
    END AS source_past_due_days,
    CASE
        WHEN EXISTS (SELECT 1 FROM core_banking.arrears_list WHERE closed_on = :closing_date)
            THEN COALESCE(listed.past_due_minor, 0)
    END AS source_past_due_minor
FROM core_banking.loan_account AS agreed
INNER JOIN core_banking.loan_state AS held ON agreed.loan_no = held.loan_no
LEFT JOIN core_banking.arrears_list AS listed
    ON agreed.loan_no = listed.loan_no AND listed.closed_on = :closing_date
WHERE
    held.valid_from <= :closing_date
    AND (held.valid_to IS NULL OR held.valid_to > :closing_date)
