-- Ledger rows set aside or warned about, by file, line, column and rule; their values are not here.
-- Grain: one row per portfolio, business date, ledger row, rule and column.
-- Of: mart.fct_quarantine
SELECT
    portfolio,
    business_date,
    table_name,
    row_number,
    source_file,
    source_line,
    column_name,
    rule_id,
    severity_code,
    loan_id
FROM mart.fct_quarantine
