-- Grain: one row per loan of 15 or 30 days disbursed by the close.
-- Inputs: prevloans (text). What cannot be read is delivered as it is, or as NULL, for validation to name.
WITH loans AS (
    SELECT
        *,
        TRY_CAST(LEFT(closeddate, 10) AS DATE) AS closed_on
    FROM prevloans
    WHERE
        termdays NOT IN ('60', '90')
        AND COALESCE(TRY_CAST(LEFT(approveddate, 10) AS DATE) <= :closing_date, TRUE)
),

states AS (
    SELECT
        *,
        CASE
            WHEN closed_on <= :closing_date THEN 'paid_off'
            WHEN closed_on > :closing_date OR closeddate = '' THEN 'active'
        END AS status_code,
        -- Naira in text to kobo without a float; digits below a kobo, or anything else, stay naira and are refused.
        CASE
            WHEN REGEXP_FULL_MATCH(loanamount, '\d{1,12}(\.\d{1,2}0*)?')
                THEN CAST(CAST(CAST(loanamount AS DECIMAL(18, 4)) * 100 AS BIGINT) AS VARCHAR)
            ELSE 'naira ' || loanamount
        END AS principal_minor
    FROM loans
)

SELECT
    systemloanid AS loan_id,
    customerid AS borrower_id,
    CASE WHEN termdays IN ('15', '30') THEN 'payday_' || termdays END AS product_code,
    'NGN' AS currency,
    principal_minor,
    LEFT(approveddate, 10) AS disbursed_on,
    LEFT(firstduedate, 10) AS maturity_on,
    status_code,
    CASE WHEN status_code = 'paid_off' THEN closed_on END AS status_on,
    CASE status_code WHEN 'paid_off' THEN '0' ELSE principal_minor END AS outstanding_principal_minor,
    source_file,
    source_line
FROM states
