-- Grain: one row per offending ledger row, rule and column.
-- Rules: types, NULLs, codes, checks, keys and references of each ledger table's contract.
-- Inputs: offender (filled from the contracts by arrears.quality.offenders).
SELECT
    CAST(table_name AS VARCHAR) AS table_name,
    CAST(row_number AS BIGINT) AS row_number,
    CAST(source_file AS VARCHAR) AS source_file,
    CAST(source_line AS BIGINT) AS source_line,
    CAST(column_name AS VARCHAR) AS column_name,
    CAST(rule_id AS VARCHAR) AS rule_id,
    CAST(severity_code AS VARCHAR) AS severity_code
FROM offender
