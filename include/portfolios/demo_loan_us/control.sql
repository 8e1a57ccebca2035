-- Totals that the lender's own books stated at the close, beside the control file's rows and sums.
SELECT
    table_name,
    measure_code,
    amount
FROM control_total
