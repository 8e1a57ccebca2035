-- Totals that the source itself stated at the close.
SELECT
    table_name,
    measure AS measure_code,
    amount
FROM core_banking.control_total
WHERE closing_on = :closing_date
