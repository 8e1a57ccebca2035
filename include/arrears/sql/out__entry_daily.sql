-- Grain: product x currency. Of what fell due on the closing date, what was unpaid at that day's close. Loans that
-- were in arrears before that day cannot enter: they are in neither figure. Beside it, what falls due next.
-- Rules: ARR-MET-04. Inputs: core__loan_delinquency_daily, core__instalment_delinquency_daily, schedule.
WITH due AS (
    SELECT
        i.loan_id,
        i.seq,
        i.due_on,
        l.product_code,
        l.currency,
        i.principal_minor + i.interest_minor + i.fee_minor + i.penalty_minor AS due_minor
    FROM schedule AS i
    INNER JOIN core__loan_delinquency_daily AS l ON i.loan_id = l.loan_id
    WHERE
        i.due_on BETWEEN $closing_date::DATE AND $business_date::DATE
        AND l.is_open
        AND COALESCE(l.past_due_on >= i.due_on, TRUE)
)
SELECT
    $closing_date::DATE AS due_on,
    d.product_code::VARCHAR AS product_code,
    d.currency::VARCHAR AS currency,
    COUNT(DISTINCT CASE WHEN d.due_on = $closing_date THEN d.loan_id END)::BIGINT AS due_loans,
    COALESCE(SUM(CASE WHEN d.due_on = $closing_date THEN d.due_minor END), 0)::BIGINT AS due_minor,
    COUNT(DISTINCT CASE WHEN d.due_on = $closing_date THEN u.loan_id END)::BIGINT AS entered_loans,
    COALESCE(SUM(CASE WHEN d.due_on = $closing_date THEN u.past_due_minor END), 0)::BIGINT AS entered_minor,
    COUNT(DISTINCT CASE WHEN d.due_on = $business_date THEN d.loan_id END)::BIGINT AS next_due_loans,
    COALESCE(SUM(CASE WHEN d.due_on = $business_date THEN d.due_minor END), 0)::BIGINT AS next_due_minor
FROM due AS d
LEFT JOIN core__instalment_delinquency_daily AS u ON d.loan_id = u.loan_id AND d.seq = u.seq
GROUP BY d.product_code, d.currency
