-- Grain: due date of the last 60 days x product x currency, as it stands at the close. A first instalment is a loan's
-- earliest but a down payment; a due date is observed on each later day, so no cohort is counted before its time.
-- Rules: ARR-MET-11. Inputs: core__entered_loan_daily, core__instalment_delinquency_daily, raw__loan,
-- due_instalment (schedule with charges).
WITH instalment AS (
    SELECT
        loan_id,
        seq,
        due_on,
        due_minor
    FROM due_instalment
    WHERE kind_code IS DISTINCT FROM 'down_payment'
), first_due AS (
    SELECT loan_id, MIN(due_on) AS due_on
    FROM instalment
    GROUP BY loan_id
    HAVING MIN(due_on) BETWEEN $closing_date::DATE - 30 AND $closing_date::DATE
), first_instalment AS (
    SELECT
        f.loan_id,
        f.due_on,
        SUM(i.due_minor) AS due_minor,
        SUM(u.past_due_minor) AS unpaid_minor
    FROM first_due AS f
    INNER JOIN instalment AS i ON f.loan_id = i.loan_id AND f.due_on = i.due_on
    LEFT JOIN core__instalment_delinquency_daily AS u ON i.loan_id = u.loan_id AND i.seq = u.seq
    GROUP BY f.loan_id, f.due_on
), fact AS (
    SELECT
        f.due_on,
        l.product_code,
        l.currency,
        1 AS first_due_loans,
        f.due_minor AS first_due_minor,
        CASE WHEN f.unpaid_minor > 0 THEN 1 ELSE 0 END AS first_unpaid_loans,
        COALESCE(f.unpaid_minor, 0) AS first_unpaid_minor,
        0 AS entered_loans,
        0 AS entered_minor,
        0 AS collected_minor,
        0 AS cured_loans,
        0 AS redefaulted_loans
    FROM first_instalment AS f
    INNER JOIN raw__loan AS l ON f.loan_id = l.loan_id
    WHERE l.status_code <> 'cancelled'
    UNION ALL
    SELECT
        due_on,
        product_code,
        currency,
        0 AS first_due_loans,
        0 AS first_due_minor,
        0 AS first_unpaid_loans,
        0 AS first_unpaid_minor,
        1 AS entered_loans,
        entered_minor,
        collected_minor,
        CASE WHEN cured_on IS NOT NULL THEN 1 ELSE 0 END AS cured_loans,
        CASE WHEN redefaulted_on <= cured_on + 30 THEN 1 ELSE 0 END AS redefaulted_loans
    FROM core__entered_loan_daily
)
SELECT
    due_on::DATE AS due_on,
    DATE_DIFF('day', due_on, $closing_date::DATE)::INTEGER AS after_days,
    product_code::VARCHAR AS product_code,
    currency::VARCHAR AS currency,
    SUM(first_due_loans)::BIGINT AS first_due_loans,
    SUM(first_due_minor)::BIGINT AS first_due_minor,
    SUM(first_unpaid_loans)::BIGINT AS first_unpaid_loans,
    SUM(first_unpaid_minor)::BIGINT AS first_unpaid_minor,
    SUM(entered_loans)::BIGINT AS entered_loans,
    SUM(entered_minor)::BIGINT AS entered_minor,
    SUM(collected_minor)::BIGINT AS collected_minor,
    SUM(cured_loans)::BIGINT AS cured_loans,
    SUM(redefaulted_loans)::BIGINT AS redefaulted_loans
FROM fact
GROUP BY due_on, product_code, currency
