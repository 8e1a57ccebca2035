-- Grain: loan_id. The yardstick: ageing in two stages with repayments only, no components, grace, pauses or tolerance.
-- Inputs: raw__loan, raw__instalment, raw__transaction. Parameter: $business_date.
WITH paid AS (
    SELECT
        loan_id,
        SUM(amount_minor)::BIGINT AS paid_minor
    FROM raw__transaction
    WHERE effective_on <= $business_date
    GROUP BY loan_id
), due AS (
    SELECT
        loan_id,
        SUM(principal_minor + interest_minor + fee_minor + penalty_minor)::BIGINT AS due_minor
    FROM raw__instalment
    WHERE due_on < $business_date
    GROUP BY loan_id
), in_arrears AS (
    SELECT
        d.loan_id,
        COALESCE(p.paid_minor, 0) AS paid_minor,
        d.due_minor - COALESCE(p.paid_minor, 0) AS past_due_minor
    FROM due AS d
    LEFT JOIN paid AS p ON d.loan_id = p.loan_id
    WHERE d.due_minor > COALESCE(p.paid_minor, 0)
), walk AS (
    SELECT
        i.loan_id,
        i.due_on,
        a.paid_minor,
        a.past_due_minor,
        SUM(i.principal_minor + i.interest_minor + i.fee_minor + i.penalty_minor)
            OVER (PARTITION BY i.loan_id ORDER BY i.due_on) AS cumulative_minor
    FROM raw__instalment AS i
    INNER JOIN in_arrears AS a ON i.loan_id = a.loan_id
    WHERE i.due_on < $business_date
), oldest AS (
    SELECT
        loan_id,
        MIN(due_on) FILTER (WHERE cumulative_minor > paid_minor) AS past_due_on,
        ANY_VALUE(past_due_minor) AS past_due_minor
    FROM walk
    GROUP BY loan_id
)
SELECT
    l.loan_id,
    o.past_due_on,
    COALESCE(DATE_DIFF('day', o.past_due_on, $business_date), 0)::INTEGER AS past_due_days,
    COALESCE(o.past_due_minor, 0)::BIGINT AS past_due_minor
FROM raw__loan AS l
LEFT JOIN oldest AS o ON l.loan_id = o.loan_id
