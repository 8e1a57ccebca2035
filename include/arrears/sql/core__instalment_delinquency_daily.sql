-- Grain: loan_id x seq: overdue instalments of open loans in arrears.
-- Rules: ARR-AGE-01 to ARR-AGE-10. Set-based twin of rules/allocation.py, rules/pauses.py, rules/conventions.py and
-- rules/ageing.py.
-- Inputs: raw__loan, raw__transaction, raw__pause, bucket(code, from_days, to_days), schedule, eventful_transaction,
-- annulled, replayed_loan, replayed_overdue (made by account__*.sql).
-- Parameters: $as_of, $counted_until (first date that is not due yet), $month_lag (days from it back to the day up to
-- which months are counted; NULL where days are), $tolerance_minor, $full_payment_pct, $<component>_rank (1 to 4).
-- Ages only what is late: totals of every loan first, the ordered walk only for loans in arrears. Accounts in which
-- the order of entries matters come replayed; they are few.
WITH entry AS (
    SELECT
        loan_id,
        principal_minor + interest_minor + fee_minor + penalty_minor AS due_minor,
        0::BIGINT AS paid_minor
    FROM schedule
    WHERE due_on < $counted_until
    UNION ALL
    SELECT
        loan_id,
        0::BIGINT AS due_minor,
        amount_minor AS paid_minor
    FROM raw__transaction
    WHERE
        kind_code IN ('repayment', 'waiver', 'goodwill_credit', 'merchant_refund', 'payout_refund')
        AND effective_on <= $as_of
    UNION ALL
    SELECT
        t.loan_id,
        0::BIGINT AS due_minor,
        -t.amount_minor AS paid_minor
    FROM eventful_transaction AS t
    INNER JOIN annulled AS a ON t.loan_id = a.loan_id AND t.transaction_id = a.transaction_id
    WHERE
        t.kind_code IN ('repayment', 'waiver', 'goodwill_credit', 'merchant_refund', 'payout_refund')
        AND t.effective_on <= $as_of
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
    UNION ALL
    SELECT loan_id
    FROM replayed_loan
), in_arrears AS (
    SELECT
        b.loan_id,
        b.pool_minor
    FROM behind AS b
    LEFT JOIN ended AS e ON b.loan_id = e.loan_id
    WHERE e.loan_id IS NULL
), owed AS (
    SELECT
        i.loan_id,
        i.seq,
        i.due_on,
        i.principal_minor,
        i.interest_minor,
        i.fee_minor,
        i.penalty_minor,
        a.pool_minor
    FROM schedule AS i
    INNER JOIN in_arrears AS a ON i.loan_id = a.loan_id
    WHERE i.due_on < $counted_until
), walk AS (
    SELECT
        *,
        principal_minor + interest_minor + fee_minor + penalty_minor AS total_minor,
        SUM(principal_minor + interest_minor + fee_minor + penalty_minor)
            OVER (PARTITION BY loan_id ORDER BY due_on, seq ROWS UNBOUNDED PRECEDING)
        - pool_minor AS shortfall_minor
    FROM owed
), pooled AS (
    SELECT
        *,
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
), overdue AS (
    SELECT
        loan_id,
        seq,
        due_on,
        due_on AS overdue_on,
        total_minor AS owed_minor,
        GREATEST(0, LEAST(principal_minor, up_to_principal_minor - paid_minor)) AS principal_minor,
        GREATEST(0, LEAST(interest_minor, up_to_interest_minor - paid_minor)) AS interest_minor,
        GREATEST(0, LEAST(fee_minor, up_to_fee_minor - paid_minor)) AS fee_minor,
        GREATEST(0, LEAST(penalty_minor, up_to_penalty_minor - paid_minor)) AS penalty_minor
    FROM pooled
    UNION ALL
    SELECT
        loan_id,
        seq,
        due_on,
        overdue_on,
        owed_minor,
        principal_minor,
        interest_minor,
        fee_minor,
        penalty_minor
    FROM replayed_overdue
), judged AS (
    SELECT
        *,
        principal_minor + interest_minor + fee_minor + penalty_minor AS past_due_minor,
        (principal_minor + interest_minor + fee_minor + penalty_minor) * 100 > owed_minor * (100 - $full_payment_pct)
            AS is_counted
    FROM overdue
), tolerated AS (
    SELECT loan_id
    FROM judged
    WHERE $full_payment_pct < 100 OR loan_id IN (SELECT r.loan_id FROM replayed_loan AS r)
    GROUP BY loan_id
    HAVING SUM(CASE WHEN is_counted THEN past_due_minor ELSE 0 END) <= $tolerance_minor
), unpaid AS (
    SELECT
        o.*,
        CASE
            WHEN $month_lag::INTEGER IS NULL THEN DATE_DIFF('day', o.overdue_on, $counted_until)
            ELSE
                30 * (
                    (YEAR($counted_until - COALESCE($month_lag, 0)) - YEAR(o.overdue_on)) * 12
                    + MONTH($counted_until - COALESCE($month_lag, 0)) - MONTH(o.overdue_on)
                    - CASE
                        WHEN
                            DAY($counted_until - COALESCE($month_lag, 0))
                            < LEAST(DAY(o.overdue_on), DAY(LAST_DAY($counted_until - COALESCE($month_lag, 0))))
                            THEN 1
                        ELSE 0
                    END
                )
        END AS past_due_days
    FROM judged AS o
    LEFT JOIN tolerated AS t ON o.loan_id = t.loan_id
    WHERE t.loan_id IS NULL
), pause AS (
    SELECT
        p.loan_id,
        p.starts_on,
        LEAST(COALESCE(p.ends_on, $counted_until), $counted_until) AS ends_on
    FROM raw__pause AS p
    WHERE
        COALESCE(p.effect_code, 'classification_freeze') = 'classification_freeze'
        AND p.starts_on < $counted_until
        AND p.loan_id IN (SELECT u.loan_id FROM unpaid AS u)
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
        SUM(GREATEST(0, DATE_DIFF('day', GREATEST(s.starts_on, u.overdue_on), s.ends_on))) AS paused_days
    FROM unpaid AS u
    INNER JOIN paused_span AS s ON u.loan_id = s.loan_id
    GROUP BY u.loan_id, u.seq
), aged AS (
    SELECT
        u.*,
        COALESCE(p.paused_days, 0) AS paused_days,
        GREATEST(0, u.past_due_days - COALESCE(p.paused_days, 0)) AS delinquent_days
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
    a.overdue_on::DATE AS overdue_on,
    a.past_due_days::INTEGER AS past_due_days,
    a.paused_days::INTEGER AS paused_days,
    a.delinquent_days::INTEGER AS delinquent_days,
    a.is_counted::BOOLEAN AS is_counted,
    a.past_due_minor::BIGINT AS past_due_minor,
    a.principal_minor::BIGINT AS past_due_principal_minor,
    a.interest_minor::BIGINT AS past_due_interest_minor,
    a.fee_minor::BIGINT AS past_due_fee_minor,
    a.penalty_minor::BIGINT AS past_due_penalty_minor,
    d.code::VARCHAR AS bucket
FROM aged AS a
INNER JOIN day_bucket AS d ON a.delinquent_days = d.age_days
