-- Grain: product x currency. Of what fell due on the closing date, what was unpaid at that day's close. Loans that
-- were in arrears before that day cannot enter: they are in neither figure. An instalment of a loan that is paid off
-- fell due if it was the next one when the loan was paid off: later ones had nothing left to ask for. Beside it, what
-- falls due next, with the charges known by the close: a charge, a deferral or a payment of the due day itself is not
-- known the day before.
-- Rules: ARR-MET-04. Inputs: core__loan_delinquency_daily, core__instalment_delinquency_daily, schedule,
-- due_instalment (schedule with charges), raw__loan.
WITH scheduled AS (
    SELECT
        i.loan_id,
        i.seq,
        i.due_on,
        l.product_code,
        l.currency,
        l.is_open,
        i.due_minor
    FROM due_instalment AS i
    INNER JOIN core__loan_delinquency_daily AS l ON i.loan_id = l.loan_id
    WHERE
        i.due_on BETWEEN $closing_date::DATE AND $business_date::DATE
        AND (l.is_open OR l.status_code = 'paid_off')
        AND COALESCE(l.past_due_on >= i.due_on, TRUE)
), settled_before AS (
    SELECT s.loan_id, s.seq
    FROM scheduled AS s
    INNER JOIN schedule AS earlier ON s.loan_id = earlier.loan_id AND s.due_on > earlier.due_on
    LEFT JOIN raw__loan AS l ON s.loan_id = l.loan_id
    WHERE NOT s.is_open
    GROUP BY s.loan_id, s.seq
    HAVING COALESCE(ANY_VALUE(l.status_on) <= MAX(earlier.due_on), TRUE)
), due AS (
    SELECT s.*
    FROM scheduled AS s
    ANTI JOIN settled_before AS b ON s.loan_id = b.loan_id AND s.seq = b.seq
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
