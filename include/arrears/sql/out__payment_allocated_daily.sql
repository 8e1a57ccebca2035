-- Grain: cash transaction that the ledger of the day compared with did not hold, or held otherwise; what is there no
-- more counts backwards. So the cash of two ledgers differs by exactly these rows.
-- A payment is the stretch of the loan's obligations between what was paid before it and after it: oldest instalment
-- first, components in the portfolio's order; what lies beyond the schedule is not allocated. A charge is owed with the
-- instalment that takes it, from the beginning; one that comes after the last, by itself (ARR-AGE-02).
-- Rules: ARR-MET-13. Inputs: cash, previous__cash (the same on the first day), raw__transaction, annulled,
-- schedule, charge_taken, core__loan_delinquency_daily, previous__loan_delinquency, core__case_loan_daily,
-- raw__contact.
-- Parameters: $zone, $<component>_rank (1 to 4).
WITH moved AS (
    SELECT
        COALESCE(n.transaction_id, p.transaction_id) AS transaction_id,
        COALESCE(n.loan_id, p.loan_id) AS loan_id,
        COALESCE(n.effective_on, p.effective_on) AS effective_on,
        COALESCE(n.booked_at, p.booked_at) AS booked_at,
        COALESCE(n.cash_minor, 0) - COALESCE(p.cash_minor, 0) AS cash_minor
    FROM cash AS n
    FULL OUTER JOIN previous__cash AS p ON n.transaction_id = p.transaction_id
    WHERE n.cash_minor IS DISTINCT FROM p.cash_minor
), moved_loan AS (
    SELECT DISTINCT loan_id
    FROM moved
), pooled AS (
    SELECT
        t.loan_id,
        SUM(CASE WHEN t.kind_code = 'chargeback' THEN -t.amount_minor ELSE t.amount_minor END) AS pool_minor
    FROM raw__transaction AS t
    INNER JOIN moved_loan AS m ON t.loan_id = m.loan_id
    LEFT JOIN annulled AS a ON t.loan_id = a.loan_id AND t.transaction_id = a.transaction_id
    WHERE
        a.transaction_id IS NULL
        AND t.kind_code IN (
            'repayment', 'waiver', 'goodwill_credit', 'merchant_refund', 'payout_refund', 'chargeback'
        )
    GROUP BY t.loan_id
), stretch AS (
    SELECT
        m.*,
        COALESCE(p.pool_minor, 0)
        - SUM(m.cash_minor) OVER (
            PARTITION BY m.loan_id ORDER BY m.booked_at DESC, m.transaction_id DESC
            ROWS UNBOUNDED PRECEDING
        ) AS before_minor
    FROM moved AS m
    LEFT JOIN pooled AS p ON m.loan_id = p.loan_id
), bounded AS (
    SELECT
        *,
        LEAST(before_minor, before_minor + cash_minor) AS lower_minor,
        GREATEST(before_minor, before_minor + cash_minor) AS upper_minor,
        CASE WHEN cash_minor < 0 THEN -1 ELSE 1 END AS sign
    FROM stretch
), owed AS (
    SELECT
        i.loan_id,
        i.due_on,
        i.seq,
        i.principal_minor,
        i.interest_minor,
        i.fee_minor,
        i.penalty_minor
    FROM schedule AS i
    INNER JOIN moved_loan AS m ON i.loan_id = m.loan_id
    UNION ALL
    SELECT
        c.loan_id,
        c.due_on,
        c.seq,
        CASE WHEN c.component_code = 'principal' THEN c.amount_minor ELSE 0 END AS principal_minor,
        CASE WHEN c.component_code = 'interest' THEN c.amount_minor ELSE 0 END AS interest_minor,
        CASE WHEN c.component_code = 'fee' THEN c.amount_minor ELSE 0 END AS fee_minor,
        CASE WHEN c.component_code = 'penalty' THEN c.amount_minor ELSE 0 END AS penalty_minor
    FROM charge_taken AS c
    INNER JOIN moved_loan AS m ON c.loan_id = m.loan_id
), instalment AS (
    SELECT
        loan_id,
        due_on,
        seq,
        SUM(principal_minor)::BIGINT AS principal_minor,
        SUM(interest_minor)::BIGINT AS interest_minor,
        SUM(fee_minor)::BIGINT AS fee_minor,
        SUM(penalty_minor)::BIGINT AS penalty_minor
    FROM owed
    GROUP BY loan_id, due_on, seq
), obligation AS (
    SELECT
        loan_id,
        due_on,
        principal_minor,
        interest_minor,
        fee_minor,
        penalty_minor,
        principal_minor + interest_minor + fee_minor + penalty_minor AS total_minor,
        (
            SUM(principal_minor + interest_minor + fee_minor + penalty_minor)
                OVER (PARTITION BY loan_id ORDER BY due_on, seq NULLS LAST ROWS UNBOUNDED PRECEDING)
        )::BIGINT AS up_to_minor
    FROM instalment
), met AS (
    SELECT
        b.transaction_id,
        b.sign,
        b.effective_on,
        o.due_on,
        o.principal_minor,
        o.interest_minor,
        o.fee_minor,
        o.penalty_minor,
        GREATEST(b.lower_minor - (o.up_to_minor - o.total_minor), 0) AS from_minor,
        LEAST(b.upper_minor - (o.up_to_minor - o.total_minor), o.total_minor) AS to_minor,
        o.principal_minor
        + CASE WHEN $interest_rank < $principal_rank THEN o.interest_minor ELSE 0 END
        + CASE WHEN $fee_rank < $principal_rank THEN o.fee_minor ELSE 0 END
        + CASE WHEN $penalty_rank < $principal_rank THEN o.penalty_minor ELSE 0 END AS up_to_principal_minor,
        o.interest_minor
        + CASE WHEN $principal_rank < $interest_rank THEN o.principal_minor ELSE 0 END
        + CASE WHEN $fee_rank < $interest_rank THEN o.fee_minor ELSE 0 END
        + CASE WHEN $penalty_rank < $interest_rank THEN o.penalty_minor ELSE 0 END AS up_to_interest_minor,
        o.fee_minor
        + CASE WHEN $principal_rank < $fee_rank THEN o.principal_minor ELSE 0 END
        + CASE WHEN $interest_rank < $fee_rank THEN o.interest_minor ELSE 0 END
        + CASE WHEN $penalty_rank < $fee_rank THEN o.penalty_minor ELSE 0 END AS up_to_fee_minor,
        o.penalty_minor
        + CASE WHEN $principal_rank < $penalty_rank THEN o.principal_minor ELSE 0 END
        + CASE WHEN $interest_rank < $penalty_rank THEN o.interest_minor ELSE 0 END
        + CASE WHEN $fee_rank < $penalty_rank THEN o.fee_minor ELSE 0 END AS up_to_penalty_minor
    FROM bounded AS b
    INNER JOIN obligation AS o
        ON
            b.loan_id = o.loan_id
            AND b.lower_minor < o.up_to_minor
            AND o.up_to_minor - o.total_minor < b.upper_minor
), share AS (
    SELECT
        transaction_id,
        SUM(sign * (to_minor - from_minor)) AS allocated_minor,
        SUM(CASE WHEN due_on < effective_on THEN sign * (to_minor - from_minor) ELSE 0 END) AS past_due_minor,
        SUM(CASE WHEN due_on = effective_on THEN sign * (to_minor - from_minor) ELSE 0 END) AS due_minor,
        SUM(CASE WHEN due_on > effective_on THEN sign * (to_minor - from_minor) ELSE 0 END) AS advance_minor,
        SUM(
            sign * GREATEST(
                0,
                LEAST(to_minor, up_to_principal_minor) - GREATEST(from_minor, up_to_principal_minor - principal_minor)
            )
        ) AS principal_minor,
        SUM(
            sign * GREATEST(
                0, LEAST(to_minor, up_to_interest_minor) - GREATEST(from_minor, up_to_interest_minor - interest_minor)
            )
        ) AS interest_minor,
        SUM(
            sign * GREATEST(0, LEAST(to_minor, up_to_fee_minor) - GREATEST(from_minor, up_to_fee_minor - fee_minor))
        ) AS fee_minor,
        SUM(
            sign * GREATEST(
                0, LEAST(to_minor, up_to_penalty_minor) - GREATEST(from_minor, up_to_penalty_minor - penalty_minor)
            )
        ) AS penalty_minor
    FROM met
    GROUP BY transaction_id
), told AS (
    SELECT COUNT(right_party) > 0 AS is_told
    FROM raw__contact
), right_party_contact AS (
    SELECT
        contact_id,
        party_id,
        channel_code,
        agent_id,
        started_at,
        TIMEZONE($zone, started_at)::DATE AS made_on
    FROM raw__contact
    WHERE right_party = 'yes'
), credited AS (
    SELECT
        b.transaction_id,
        ARG_MAX(c.contact_id, c.started_at) AS contact_id,
        ARG_MAX(c.channel_code, c.started_at) AS channel_code,
        ARG_MAX(COALESCE(c.agent_id, ''), c.started_at) AS agent_id
    FROM bounded AS b
    INNER JOIN core__loan_delinquency_daily AS l ON b.loan_id = l.loan_id
    INNER JOIN right_party_contact AS c
        ON l.borrower_id = c.party_id AND c.made_on BETWEEN b.effective_on - 7 AND b.effective_on
    GROUP BY b.transaction_id
), worked AS (
    SELECT loan_id, ARG_MAX(case_id, opened_on) AS case_id
    FROM core__case_loan_daily
    GROUP BY loan_id
)
SELECT
    b.transaction_id::VARCHAR AS transaction_id,
    b.loan_id::VARCHAR AS loan_id,
    COALESCE(l.product_code, e.product_code, '')::VARCHAR AS product_code,
    COALESCE(l.currency, e.currency, $currency)::VARCHAR AS currency,
    COALESCE(l.status_code, 'missing')::VARCHAR AS status_code,
    w.case_id::VARCHAR AS case_id,
    b.effective_on::DATE AS effective_on,
    COALESCE(e.past_due_days, 0)::INTEGER AS past_due_days_before,
    COALESCE(e.past_due_minor, 0)::BIGINT AS past_due_before_minor,
    b.cash_minor::BIGINT AS cash_minor,
    COALESCE(s.past_due_minor, 0)::BIGINT AS past_due_minor,
    COALESCE(s.due_minor, 0)::BIGINT AS due_minor,
    COALESCE(s.advance_minor, 0)::BIGINT AS advance_minor,
    COALESCE(s.principal_minor, 0)::BIGINT AS principal_minor,
    COALESCE(s.interest_minor, 0)::BIGINT AS interest_minor,
    COALESCE(s.fee_minor, 0)::BIGINT AS fee_minor,
    COALESCE(s.penalty_minor, 0)::BIGINT AS penalty_minor,
    (b.cash_minor - COALESCE(s.allocated_minor, 0))::BIGINT AS unallocated_minor,
    CASE
        WHEN COALESCE(e.past_due_days, 0) = 0 THEN 'not_past_due'
        WHEN NOT told.is_told THEN NULL
        WHEN c.contact_id IS NOT NULL THEN 'contact'
        ELSE 'self_cure'
    END::VARCHAR AS credit_code,
    CASE WHEN e.past_due_days > 0 THEN c.contact_id END::VARCHAR AS credited_contact_id,
    CASE WHEN e.past_due_days > 0 THEN c.channel_code END::VARCHAR AS credited_channel_code,
    CASE WHEN e.past_due_days > 0 THEN NULLIF(c.agent_id, '') END::VARCHAR AS credited_agent_id
FROM bounded AS b
CROSS JOIN told
LEFT JOIN share AS s ON b.transaction_id = s.transaction_id
LEFT JOIN core__loan_delinquency_daily AS l ON b.loan_id = l.loan_id
LEFT JOIN previous__loan_delinquency AS e ON b.loan_id = e.loan_id
LEFT JOIN worked AS w ON b.loan_id = w.loan_id
LEFT JOIN credited AS c ON b.transaction_id = c.transaction_id
