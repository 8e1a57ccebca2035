-- Grain: loan_id x seq: due instalments that are not fully paid, of open loans in arrears.
-- Rules: ARR-AGE-01 to ARR-AGE-05. Set-based twin of rules/allocation.py, rules/pauses.py and rules/ageing.py.
-- Inputs: raw__loan, raw__instalment, raw__transaction, raw__pause, bucket(code, from_days, to_days).
-- Parameters: $as_of, $counted_until (first date that is not due yet), $tolerance_minor, $<component>_rank (1 to 4).
-- Ages only what is late: totals of every loan first, the ordered walk only for loans in arrears. Charges,
-- chargebacks, reversals and pauses are few: the accounts that have any are set aside once and worked as small sets.
WITH special_loan AS (
    SELECT DISTINCT loan_id
    FROM raw__transaction
    WHERE kind_code IN ('reversal', 'charge', 'chargeback') AND effective_on <= $as_of
), account AS (
    SELECT
        t.loan_id,
        t.transaction_id,
        t.kind_code,
        t.effective_on,
        t.amount_minor,
        t.reverses_id
    FROM raw__transaction AS t
    INNER JOIN special_loan AS s ON t.loan_id = s.loan_id
    WHERE t.effective_on <= $as_of
), reversal AS (
    SELECT
        loan_id,
        transaction_id,
        reverses_id
    FROM account
    WHERE kind_code = 'reversal'
), last_reversal AS (
    SELECT
        r.loan_id,
        r.reverses_id
    FROM reversal AS r
    LEFT JOIN reversal AS n ON r.loan_id = n.loan_id AND r.transaction_id = n.reverses_id
    WHERE n.loan_id IS NULL
), annulled AS (
    SELECT DISTINCT
        r.loan_id,
        r.reverses_id AS transaction_id
    FROM reversal AS r
    LEFT JOIN last_reversal AS u ON r.loan_id = u.loan_id AND r.transaction_id = u.reverses_id
    WHERE u.loan_id IS NULL
), addition AS (
    SELECT
        t.loan_id,
        t.transaction_id,
        t.kind_code,
        t.effective_on,
        t.amount_minor
    FROM account AS t
    LEFT JOIN annulled AS a ON t.loan_id = a.loan_id AND t.transaction_id = a.transaction_id
    WHERE t.kind_code IN ('charge', 'chargeback') AND a.loan_id IS NULL
), added_loan AS (
    SELECT DISTINCT loan_id
    FROM addition
), added_schedule AS (
    SELECT
        i.loan_id,
        i.seq,
        i.due_on
    FROM raw__instalment AS i
    INNER JOIN added_loan AS l ON i.loan_id = l.loan_id
), received AS (
    SELECT
        a.loan_id,
        a.kind_code,
        a.effective_on,
        a.amount_minor,
        s.seq,
        s.due_on,
        ROW_NUMBER() OVER (PARTITION BY a.loan_id, a.transaction_id ORDER BY s.due_on, s.seq) AS choice
    FROM addition AS a
    LEFT JOIN added_schedule AS s
        ON
            a.loan_id = s.loan_id
            AND (a.effective_on < s.due_on OR (a.effective_on = s.due_on AND a.kind_code = 'charge'))
), last_seq AS (
    SELECT
        loan_id,
        MAX(seq) AS seq
    FROM added_schedule
    GROUP BY loan_id
), added AS (
    SELECT
        r.loan_id,
        COALESCE(r.seq, n.seq + 1, 1) AS seq,
        r.seq IS NULL AS is_extra,
        COALESCE(ANY_VALUE(r.due_on), MIN(r.effective_on)) AS due_on,
        SUM(CASE WHEN r.kind_code = 'chargeback' THEN r.amount_minor ELSE 0 END)::BIGINT AS principal_minor,
        SUM(CASE WHEN r.kind_code = 'charge' THEN r.amount_minor ELSE 0 END)::BIGINT AS fee_minor
    FROM received AS r
    LEFT JOIN last_seq AS n ON r.loan_id = n.loan_id
    WHERE r.choice = 1
    GROUP BY r.loan_id, r.seq, n.seq
), entry AS (
    SELECT
        loan_id,
        principal_minor + interest_minor + fee_minor + penalty_minor AS due_minor,
        0::BIGINT AS paid_minor
    FROM raw__instalment
    WHERE due_on < $counted_until
    UNION ALL
    SELECT
        loan_id,
        principal_minor + fee_minor AS due_minor,
        0::BIGINT AS paid_minor
    FROM added
    WHERE due_on < $counted_until
    UNION ALL
    SELECT
        loan_id,
        0::BIGINT AS due_minor,
        amount_minor AS paid_minor
    FROM raw__transaction
    WHERE kind_code IN ('repayment', 'waiver') AND effective_on <= $as_of
    UNION ALL
    SELECT
        t.loan_id,
        0::BIGINT AS due_minor,
        -t.amount_minor AS paid_minor
    FROM account AS t
    INNER JOIN annulled AS a ON t.loan_id = a.loan_id AND t.transaction_id = a.transaction_id
    WHERE t.kind_code IN ('repayment', 'waiver')
), behind AS (
    SELECT
        loan_id,
        SUM(paid_minor)::BIGINT AS pool_minor
    FROM entry
    GROUP BY loan_id
    HAVING SUM(due_minor) - SUM(paid_minor) > $tolerance_minor
), ended AS (
    SELECT loan_id
    FROM raw__loan
    WHERE status_code NOT IN ('active', 'charged_off')
), in_arrears AS (
    SELECT
        b.loan_id,
        b.pool_minor
    FROM behind AS b
    LEFT JOIN ended AS e ON b.loan_id = e.loan_id
    WHERE e.loan_id IS NULL
), scheduled AS (
    SELECT
        i.loan_id,
        i.seq,
        i.due_on,
        i.principal_minor,
        i.interest_minor,
        i.fee_minor,
        i.penalty_minor,
        a.pool_minor
    FROM raw__instalment AS i
    INNER JOIN in_arrears AS a ON i.loan_id = a.loan_id
    WHERE i.due_on < $counted_until
), owed AS (
    SELECT
        s.loan_id,
        s.seq,
        s.due_on,
        s.principal_minor + COALESCE(n.principal_minor, 0) AS principal_minor,
        s.interest_minor,
        s.fee_minor + COALESCE(n.fee_minor, 0) AS fee_minor,
        s.penalty_minor,
        s.pool_minor
    FROM scheduled AS s
    LEFT JOIN added AS n ON s.loan_id = n.loan_id AND s.seq = n.seq
    UNION ALL
    SELECT
        n.loan_id,
        n.seq,
        n.due_on,
        n.principal_minor,
        0 AS interest_minor,
        n.fee_minor,
        0 AS penalty_minor,
        a.pool_minor
    FROM added AS n
    INNER JOIN in_arrears AS a ON n.loan_id = a.loan_id
    WHERE n.is_extra AND n.due_on < $counted_until
), walk AS (
    SELECT
        *,
        principal_minor + interest_minor + fee_minor + penalty_minor AS total_minor,
        SUM(principal_minor + interest_minor + fee_minor + penalty_minor)
            OVER (PARTITION BY loan_id ORDER BY due_on, seq ROWS UNBOUNDED PRECEDING)
        - pool_minor AS shortfall_minor
    FROM owed
), unpaid AS (
    SELECT
        *,
        DATE_DIFF('day', due_on, $counted_until) AS past_due_days,
        LEAST(total_minor, shortfall_minor) AS past_due_minor,
        GREATEST(0, total_minor - shortfall_minor) AS paid_minor,
        principal_minor
        + CASE WHEN $interest_rank < $principal_rank THEN interest_minor ELSE 0 END
        + CASE WHEN $fee_rank < $principal_rank THEN fee_minor ELSE 0 END
        + CASE WHEN $penalty_rank < $principal_rank THEN penalty_minor ELSE 0 END AS up_to_principal_minor,
        interest_minor
        + CASE WHEN $principal_rank < $interest_rank THEN principal_minor ELSE 0 END
        + CASE WHEN $fee_rank < $interest_rank THEN fee_minor ELSE 0 END
        + CASE WHEN $penalty_rank < $interest_rank THEN penalty_minor ELSE 0 END AS up_to_interest_minor,
        fee_minor
        + CASE WHEN $principal_rank < $fee_rank THEN principal_minor ELSE 0 END
        + CASE WHEN $interest_rank < $fee_rank THEN interest_minor ELSE 0 END
        + CASE WHEN $penalty_rank < $fee_rank THEN penalty_minor ELSE 0 END AS up_to_fee_minor,
        penalty_minor
        + CASE WHEN $principal_rank < $penalty_rank THEN principal_minor ELSE 0 END
        + CASE WHEN $interest_rank < $penalty_rank THEN interest_minor ELSE 0 END
        + CASE WHEN $fee_rank < $penalty_rank THEN fee_minor ELSE 0 END AS up_to_penalty_minor
    FROM walk
    WHERE shortfall_minor > 0 AND total_minor > 0
), pause AS (
    SELECT
        p.loan_id,
        p.starts_on,
        LEAST(COALESCE(p.ends_on, $counted_until), $counted_until) AS ends_on
    FROM raw__pause AS p
    INNER JOIN in_arrears AS a ON p.loan_id = a.loan_id
    WHERE p.starts_on < $counted_until
), paused_span AS (
    SELECT
        loan_id,
        ends_on,
        GREATEST(
            starts_on,
            COALESCE(
                MAX(ends_on) OVER (
                    PARTITION BY loan_id ORDER BY starts_on, ends_on ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ),
                starts_on
            )
        ) AS starts_on
    FROM pause
), paused AS (
    SELECT
        u.loan_id,
        u.seq,
        SUM(GREATEST(0, DATE_DIFF('day', GREATEST(s.starts_on, u.due_on), s.ends_on))) AS paused_days
    FROM unpaid AS u
    INNER JOIN paused_span AS s ON u.loan_id = s.loan_id
    GROUP BY u.loan_id, u.seq
), aged AS (
    SELECT
        u.*,
        u.past_due_days - COALESCE(p.paused_days, 0) AS delinquent_days
    FROM unpaid AS u
    LEFT JOIN paused AS p ON u.loan_id = p.loan_id AND u.seq = p.seq
), counted AS (
    SELECT DISTINCT delinquent_days AS age_days
    FROM aged
), day_bucket AS (
    SELECT
        c.age_days,
        b.code
    FROM counted AS c
    INNER JOIN bucket AS b ON c.age_days BETWEEN b.from_days AND b.to_days
)
SELECT
    a.loan_id::VARCHAR AS loan_id,
    a.seq::INTEGER AS seq,
    a.due_on::DATE AS due_on,
    a.past_due_days::INTEGER AS past_due_days,
    a.delinquent_days::INTEGER AS delinquent_days,
    a.past_due_minor::BIGINT AS past_due_minor,
    GREATEST(0, LEAST(a.principal_minor, a.up_to_principal_minor - a.paid_minor))::BIGINT AS past_due_principal_minor,
    GREATEST(0, LEAST(a.interest_minor, a.up_to_interest_minor - a.paid_minor))::BIGINT AS past_due_interest_minor,
    GREATEST(0, LEAST(a.fee_minor, a.up_to_fee_minor - a.paid_minor))::BIGINT AS past_due_fee_minor,
    GREATEST(0, LEAST(a.penalty_minor, a.up_to_penalty_minor - a.paid_minor))::BIGINT AS past_due_penalty_minor,
    d.code::VARCHAR AS bucket
FROM aged AS a
INNER JOIN day_bucket AS d ON a.delinquent_days = d.age_days
