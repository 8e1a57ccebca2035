-- Grain: loan_id: loan past due by a material amount, and since when it has been so without a break.
-- Rules: ARR-AGE-11. Set-based twin of rules/materiality.py (material_since).
-- Inputs: raw__loan, schedule, raw__transaction, annulled, core__instalment_delinquency_daily.
-- Parameters: $as_of, $counted_until, $timezone, $material_minor, $material_bps; made only where they are given.
WITH material AS (
    SELECT
        l.loan_id,
        l.outstanding_principal_minor
    FROM raw__loan AS l
    INNER JOIN core__instalment_delinquency_daily AS i ON l.loan_id = i.loan_id
    GROUP BY l.loan_id, l.outstanding_principal_minor
    HAVING
        SUM(i.past_due_minor) > $material_minor
        AND SUM(i.past_due_minor)::DECIMAL(28, 0) * 10000
        > l.outstanding_principal_minor::DECIMAL(28, 0) * $material_bps
), change AS (
    SELECT
        s.loan_id,
        s.due_on AS changed_on,
        s.principal_minor + s.interest_minor + s.fee_minor + s.penalty_minor AS amount_minor
    FROM schedule AS s
    INNER JOIN material AS m ON s.loan_id = m.loan_id
    WHERE s.due_on < $counted_until
    UNION ALL
    SELECT
        t.loan_id,
        t.effective_on AS changed_on,
        CASE
            WHEN t.kind_code IN ('charge', 'chargeback', 'credit_refund') THEN t.amount_minor ELSE -t.amount_minor
        END AS amount_minor
    FROM raw__transaction AS t
    INNER JOIN material AS m ON t.loan_id = m.loan_id
    LEFT JOIN annulled AS a ON t.loan_id = a.loan_id AND t.transaction_id = a.transaction_id
    WHERE
        t.kind_code <> 'reversal'
        AND a.loan_id IS NULL
        AND (
            t.effective_on <= $as_of
            OR (
                t.kind_code = 'charge'
                AND t.effective_on < $counted_until
                AND TIMEZONE($timezone, t.booked_at)::DATE <= $as_of
            )
        )
), dated AS (
    SELECT
        loan_id,
        changed_on,
        SUM(amount_minor) AS amount_minor
    FROM change
    GROUP BY loan_id, changed_on
), course AS (
    SELECT
        d.loan_id,
        d.changed_on,
        SUM(d.amount_minor)
            OVER (PARTITION BY d.loan_id ORDER BY d.changed_on ROWS UNBOUNDED PRECEDING) AS amount_minor,
        m.outstanding_principal_minor
    FROM dated AS d
    INNER JOIN material AS m ON d.loan_id = m.loan_id
), judged AS (
    SELECT
        loan_id,
        changed_on,
        amount_minor > $material_minor
        AND amount_minor::DECIMAL(28, 0) * 10000 > outstanding_principal_minor::DECIMAL(28, 0) * $material_bps
            AS is_material
    FROM course
), last_break AS (
    SELECT
        loan_id,
        MAX(CASE WHEN NOT is_material THEN changed_on END) AS broken_on
    FROM judged
    GROUP BY loan_id
)
SELECT
    j.loan_id::VARCHAR AS loan_id,
    MIN(j.changed_on)::DATE AS material_on
FROM judged AS j
INNER JOIN last_break AS b ON j.loan_id = b.loan_id
WHERE j.is_material AND (b.broken_on IS NULL OR j.changed_on > b.broken_on)
GROUP BY j.loan_id
