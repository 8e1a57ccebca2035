-- Grain: one row per offending ledger row, rule and column; a line that names several loans or parties is there for
-- each of them, the later ones as column #2, #3.
-- Rules: types, NULLs, codes, checks, keys and references of each ledger table's contract.
-- Inputs: offender (filled from the contracts by arrears.quality.offenders), subject (arrears.quality.subjects).
SELECT
    CAST(offender.table_name AS VARCHAR) AS table_name,
    CAST(offender.row_number AS BIGINT) AS row_number,
    CAST(offender.source_file AS VARCHAR) AS source_file,
    CAST(offender.source_line AS BIGINT) AS source_line,
    CAST(
        CASE WHEN subject.place > 1 THEN offender.column_name || '#' || subject.place ELSE offender.column_name END
        AS VARCHAR
    ) AS column_name,
    CAST(offender.rule_id AS VARCHAR) AS rule_id,
    CAST(offender.severity_code AS VARCHAR) AS severity_code,
    CAST(subject.loan_id AS VARCHAR) AS loan_id,
    CAST(subject.party_id AS VARCHAR) AS party_id
FROM offender
LEFT JOIN subject
    ON offender.table_name = subject.table_name AND offender.row_number = subject.row_number
