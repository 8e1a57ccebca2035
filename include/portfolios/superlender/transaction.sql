-- Grain: one row per loan of 15 or 30 days closed by the close: one repayment of the whole.
-- Inputs: prevloans (text). What cannot be read is delivered as it is, for validation to name.
WITH loans AS (
    SELECT *
    FROM prevloans
    WHERE
        termdays NOT IN ('60', '90')
        AND closeddate <> ''
        AND COALESCE(TRY_CAST(LEFT(approveddate, 10) AS DATE) <= :closing_date, TRUE)
        AND COALESCE(TRY_CAST(LEFT(closeddate, 10) AS DATE) <= :closing_date, TRUE)
)

SELECT
    'repayment-' || systemloanid AS transaction_id,
    systemloanid AS loan_id,
    'repayment' AS kind_code,
    LEFT(closeddate, 10) AS effective_on,
    LEFT(closeddate, 10) || 'T' || SUBSTR(closeddate, 12, 8) || '+01:00' AS booked_at,
    -- Naira in text to kobo without a float; digits below a kobo, or anything else, stay naira and are refused.
    CASE
        WHEN REGEXP_FULL_MATCH(totaldue, '\d{1,12}(\.\d{1,2}0*)?')
            THEN CAST(CAST(CAST(totaldue AS DECIMAL(18, 4)) * 100 AS BIGINT) AS VARCHAR)
        ELSE 'naira ' || totaldue
    END AS amount_minor,
    source_file,
    source_line
FROM loans
