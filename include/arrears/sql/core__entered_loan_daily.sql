-- Grain: loan_id x due_on of the last 60 days that the loan entered arrears by: unpaid at the due date's close, and in
-- no arrears before it. Cash since then counts up to what entered; the oldest is paid first, so it goes there.
-- Rules: ARR-MET-10. Inputs: core__loan_delinquency_daily, core__instalment_delinquency_daily, schedule,
-- cash, previous__entered_loan (empty on the first day).
WITH entry AS (
    SELECT
        i.loan_id,
        $closing_date::DATE AS due_on,
        ANY_VALUE(l.product_code) AS product_code,
        ANY_VALUE(l.currency) AS currency,
        SUM(i.past_due_minor) AS entered_minor,
        NULL::BIGINT AS cash_then_minor,
        NULL::DATE AS cured_on,
        NULL::DATE AS redefaulted_on
    FROM core__instalment_delinquency_daily AS i
    INNER JOIN schedule AS r ON i.loan_id = r.loan_id AND i.seq = r.seq AND i.due_on = r.due_on
    INNER JOIN core__loan_delinquency_daily AS l ON i.loan_id = l.loan_id
    WHERE r.due_on = $closing_date AND l.is_open AND COALESCE(l.past_due_on >= $closing_date, TRUE)
    GROUP BY i.loan_id
    UNION ALL
    SELECT loan_id, due_on, product_code, currency, entered_minor, cash_then_minor, cured_on, redefaulted_on
    FROM previous__entered_loan
    WHERE due_on < $closing_date AND due_on >= $closing_date::DATE - 60
), received AS (
    SELECT c.loan_id, SUM(c.cash_minor) AS cash_minor
    FROM cash AS c
    WHERE c.loan_id IN (SELECT e.loan_id FROM entry AS e)
    GROUP BY c.loan_id
), followed AS (
    SELECT
        e.*,
        COALESCE(r.cash_minor, 0) AS cash_now_minor,
        e.due_on = $closing_date AS is_new,
        COALESCE(l.past_due_days, 0) > 0 AS is_past_due,
        COALESCE(l.status_code IN ('active', 'paid_off', 'settled'), FALSE) AS may_cure
    FROM entry AS e
    LEFT JOIN received AS r ON e.loan_id = r.loan_id
    LEFT JOIN core__loan_delinquency_daily AS l ON e.loan_id = l.loan_id
)
SELECT
    loan_id::VARCHAR AS loan_id,
    due_on::DATE AS due_on,
    product_code::VARCHAR AS product_code,
    currency::VARCHAR AS currency,
    entered_minor::BIGINT AS entered_minor,
    COALESCE(cash_then_minor, cash_now_minor)::BIGINT AS cash_then_minor,
    LEAST(entered_minor, GREATEST(cash_now_minor - COALESCE(cash_then_minor, cash_now_minor), 0))::BIGINT
        AS collected_minor,
    CASE
        WHEN cured_on IS NOT NULL THEN cured_on
        WHEN NOT is_new AND NOT is_past_due AND may_cure THEN $business_date
    END::DATE AS cured_on,
    CASE
        WHEN redefaulted_on IS NOT NULL THEN redefaulted_on
        WHEN cured_on IS NOT NULL AND is_past_due THEN $business_date
    END::DATE AS redefaulted_on
FROM followed
