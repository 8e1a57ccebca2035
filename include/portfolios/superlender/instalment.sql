-- Grain: one row per loan of 15 or 30 days disbursed by the close: its whole obligation.
-- Inputs: prevloans (text). What cannot be read is delivered as it is, for validation to name.
WITH loans AS (
    SELECT
        *,
        REGEXP_FULL_MATCH(loanamount, '\d{1,12}(\.\d{1,2}0*)?') AS has_principal,
        REGEXP_FULL_MATCH(totaldue, '\d{1,12}(\.\d{1,2}0*)?') AS has_total
    FROM prevloans
    WHERE
        termdays NOT IN ('60', '90')
        AND COALESCE(TRY_CAST(LEFT(approveddate, 10) AS DATE) <= :closing_date, TRUE)
),

amounts AS (
    -- Naira in text to kobo without a float; digits below a kobo, or anything else, stay naira and are refused.
    SELECT
        *,
        CASE WHEN has_principal THEN CAST(CAST(loanamount AS DECIMAL(18, 4)) * 100 AS BIGINT) END AS principal,
        CASE WHEN has_total THEN CAST(CAST(totaldue AS DECIMAL(18, 4)) * 100 AS BIGINT) END AS total
    FROM loans
)

SELECT
    systemloanid AS loan_id,
    1 AS seq,
    LEFT(firstduedate, 10) AS due_on,
    COALESCE(CAST(principal AS VARCHAR), 'naira ' || loanamount) AS principal_minor,
    COALESCE(CAST(total - principal AS VARCHAR), 'naira ' || totaldue) AS interest_minor,
    0 AS fee_minor,
    0 AS penalty_minor,
    source_file,
    source_line
FROM amounts
