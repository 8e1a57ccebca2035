-- Rows set aside, by file and line.
-- Grain: one row per ledger row, rule and column, at most 200.
SELECT
    source_file,
    source_line,
    table_name,
    column_name,
    rule_id,
    severity_code,
    loan_id
FROM bi.quarantine
WHERE portfolio = $portfolio AND business_date = $business_date
ORDER BY severity_code, source_file, source_line, rule_id, column_name
LIMIT 200
