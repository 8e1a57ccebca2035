-- Grain: one row per loan, current and ended, as it stood at the close. Columns: docs/reference/tables.md, raw__loan.
-- Money is integer minor units, from text through DECIMAL, never a float:
--   CAST(CAST(principal AS DECIMAL(18, 2)) * 100 AS BIGINT) AS principal_minor
-- Another column's name, code or form of a date is mapped here too:
--   CASE state WHEN 'A' THEN 'active' WHEN 'P' THEN 'paid_off' END AS status_code
--   STRPTIME(paid_out, '%d.%m.%Y')::DATE AS disbursed_on
SELECT
    loan_id,
    borrower_id,
    product_code,
    currency,
    principal_minor,
    disbursed_on,
    maturity_on,
    status_code,
    outstanding_principal_minor,
    source_file,
    source_line
FROM loan
