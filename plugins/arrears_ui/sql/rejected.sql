-- Rows set aside or warned about, by rule.
-- Grain: one row per table, rule, column and severity.
SELECT
    table_name,
    rule_id,
    column_name,
    severity_code,
    COUNT(*) AS row_count,
    MIN(source_file) AS source_file,
    MIN(source_line) AS first_line
FROM bi.quarantine
WHERE portfolio = $portfolio AND business_date = $business_date
GROUP BY table_name, rule_id, column_name, severity_code
ORDER BY severity_code ASC, row_count DESC, table_name ASC, rule_id ASC
