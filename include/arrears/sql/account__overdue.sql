-- Grain: loan_id x seq: overdue instalment of a replayed account, since when, and what of it by component.
-- Rules: ARR-AGE-07. Set-based twin of rules/ageing.py (_overdue).
-- Inputs: account_end (the accounts after their last moves), account_credit. Parameters: $counted_until.
WITH instalment AS (
    SELECT
        loan_id,
        seq,
        ANY_VALUE(due_on) AS due_on,
        SUM(CASE WHEN component_code = 'principal' THEN owed_minor - paid_minor ELSE 0 END) AS principal_minor,
        SUM(CASE WHEN component_code = 'interest' THEN owed_minor - paid_minor ELSE 0 END) AS interest_minor,
        SUM(CASE WHEN component_code = 'fee' THEN owed_minor - paid_minor ELSE 0 END) AS fee_minor,
        SUM(CASE WHEN component_code = 'penalty' THEN owed_minor - paid_minor ELSE 0 END) AS penalty_minor,
        SUM(owed_minor) AS owed_minor,
        SUM(paid_minor) AS paid_minor
    FROM account_end
    GROUP BY loan_id, seq
), credited AS (
    SELECT
        loan_id,
        seq,
        credited_on,
        SUM(credit_minor) OVER (
            PARTITION BY loan_id, seq ORDER BY move_number ROWS UNBOUNDED PRECEDING
        ) AS credit_minor,
        SUM(credit_minor) OVER (PARTITION BY loan_id, seq) AS all_credit_minor
    FROM account_credit
), short AS (
    -- payments meet the oldest chargeback first: the shortfall is as old as the first one not met
    SELECT
        c.loan_id,
        c.seq,
        MIN(c.credited_on) AS credited_on,
        MAX(c.all_credit_minor - i.paid_minor) AS short_minor
    FROM credited AS c
    INNER JOIN instalment AS i ON c.loan_id = i.loan_id AND c.seq = i.seq
    WHERE c.credit_minor > i.paid_minor
    GROUP BY c.loan_id, c.seq
), overdue AS (
    SELECT
        i.*,
        i.due_on < $counted_until
        AND i.principal_minor + i.interest_minor + i.fee_minor + i.penalty_minor > 0 AS is_due,
        s.credited_on,
        s.short_minor
    FROM instalment AS i
    LEFT JOIN short AS s ON i.loan_id = s.loan_id AND i.seq = s.seq AND s.credited_on < $counted_until
)
SELECT
    loan_id::VARCHAR AS loan_id,
    seq::INTEGER AS seq,
    due_on::DATE AS due_on,
    CASE WHEN is_due THEN LEAST(due_on, COALESCE(credited_on, due_on)) ELSE credited_on END::DATE AS overdue_on,
    owed_minor::BIGINT AS owed_minor,
    CASE WHEN is_due THEN principal_minor ELSE short_minor END::BIGINT AS principal_minor,
    CASE WHEN is_due THEN interest_minor ELSE 0 END::BIGINT AS interest_minor,
    CASE WHEN is_due THEN fee_minor ELSE 0 END::BIGINT AS fee_minor,
    CASE WHEN is_due THEN penalty_minor ELSE 0 END::BIGINT AS penalty_minor
FROM overdue
WHERE is_due OR credited_on IS NOT NULL
