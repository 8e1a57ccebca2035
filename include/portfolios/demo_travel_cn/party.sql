-- Parties known by the close.
SELECT
    customer_no AS party_id,
    person_ref AS person_id,
    is_minor,
    language
FROM core_banking.customer
WHERE known_on <= :closing_date
