-- Conservation: figures that must be equal to the minor unit, each pair from two facts. A publication with a difference
-- is refused; a difference here says that an earlier date was restated and this one was not yet.
-- Grain: one row per portfolio, business date, check and subject.
-- check_code: What is compared
-- subject: Bucket, queue or span that it is of; empty for the whole portfolio
-- expected: The figure by the first fact
-- found: The figure by the second
-- difference: found less expected
-- is_equal: Whether there is none
WITH bucket_sum AS NOT MATERIALIZED (
    SELECT
        portfolio,
        business_date,
        contract_bucket,
        SUM(loans) AS loans,
        SUM(past_due_minor) AS past_due_minor,
        SUM(CASE WHEN status_code = 'active' THEN outstanding_principal_minor ELSE 0 END) AS active_minor
    FROM mart.fct_portfolio_daily
    GROUP BY portfolio, business_date, contract_bucket
), portfolio_sum AS NOT MATERIALIZED (
    SELECT
        portfolio,
        business_date,
        SUM(loans) AS loans,
        SUM(past_due_minor) AS past_due_minor,
        SUM(active_minor) AS active_minor
    FROM bucket_sum
    GROUP BY portfolio, business_date
), loan_sum AS NOT MATERIALIZED (
    SELECT
        portfolio,
        business_date,
        COUNT(*) AS loans,
        SUM(past_due_minor) AS past_due_minor
    FROM mart.fct_loan_daily
    GROUP BY portfolio, business_date
), par_sum AS NOT MATERIALIZED (
    SELECT
        portfolio,
        business_date,
        SUM(denominator_minor) AS denominator_minor
    FROM mart.fct_par_daily
    WHERE threshold_days = 30
    GROUP BY portfolio, business_date
), event_sum AS NOT MATERIALIZED (
    SELECT
        portfolio,
        business_date,
        COUNT(*) AS loans,
        SUM(past_due_minor) AS past_due_minor
    FROM mart.fct_delinquency_event_daily
    GROUP BY portfolio, business_date
), event_total_sum AS NOT MATERIALIZED (
    SELECT
        portfolio,
        business_date,
        SUM(loans) AS loans,
        SUM(CASE WHEN event_code = 'newly_overdue' THEN loans ELSE 0 END) AS newly_overdue_loans,
        SUM(past_due_minor) AS past_due_minor
    FROM mart.fct_delinquency_event_total_daily
    GROUP BY portfolio, business_date
), matrix_from AS NOT MATERIALIZED (
    SELECT
        portfolio,
        business_date,
        compared_with,
        from_bucket,
        span_code,
        SUM(loans) AS loans
    FROM mart.fct_bucket_migration_daily
    WHERE direction_code <> 'new'
    GROUP BY portfolio, business_date, compared_with, from_bucket, span_code
), matrix_to AS NOT MATERIALIZED (
    SELECT
        portfolio,
        business_date,
        span_code,
        SUM(loans) AS loans
    FROM mart.fct_bucket_migration_daily
    WHERE direction_code NOT IN ('paid_off', 'left')
    GROUP BY portfolio, business_date, span_code
), case_sum AS NOT MATERIALIZED (
    SELECT
        portfolio,
        business_date,
        COUNT(*) FILTER (WHERE event_code <> 'closed') AS open_cases,
        COUNT(*) FILTER (WHERE event_code IN ('opened', 'reopened')) AS opened_cases,
        COUNT(*) FILTER (WHERE event_code = 'closed') AS closed_cases
    FROM mart.fct_case_daily
    GROUP BY portfolio, business_date
), assignment_sum AS NOT MATERIALIZED (
    SELECT
        portfolio,
        business_date,
        COUNT(*) AS cases
    FROM mart.fct_assignment_daily
    GROUP BY portfolio, business_date
), queue_sum AS NOT MATERIALIZED (
    SELECT
        portfolio,
        business_date,
        SUM(open_cases) AS open_cases
    FROM mart.fct_queue_daily
    GROUP BY portfolio, business_date
), plan_sum AS NOT MATERIALIZED (
    SELECT
        portfolio,
        business_date,
        COUNT(*) AS contacts
    FROM mart.fct_contact_plan_daily
    GROUP BY portfolio, business_date
), payment_sum AS NOT MATERIALIZED (
    SELECT
        portfolio,
        business_date,
        SUM(cash_minor) AS cash_minor,
        SUM(principal_minor + interest_minor + fee_minor + penalty_minor + unallocated_minor) AS components_minor,
        SUM(past_due_minor + due_minor + advance_minor + unallocated_minor) AS stages_minor
    FROM mart.fct_payment_allocated
    GROUP BY portfolio, business_date
), entry_sum AS NOT MATERIALIZED (
    SELECT
        portfolio,
        business_date,
        SUM(entered_minor) AS entered_minor
    FROM mart.fct_entry_daily
    GROUP BY portfolio, business_date
), cohort_sum AS NOT MATERIALIZED (
    SELECT
        portfolio,
        business_date,
        SUM(entered_minor) AS entered_minor
    FROM mart.fct_due_cohort_daily
    WHERE after_days = 0
    GROUP BY portfolio, business_date
), compared AS NOT MATERIALIZED (
    SELECT
        d.portfolio,
        d.business_date,
        'loans_in_buckets' AS check_code,
        '' AS subject,
        d.loans AS expected,
        COALESCE(p.loans, 0) AS found
    FROM mart.fct_summary_daily AS d
    LEFT JOIN portfolio_sum AS p ON d.portfolio = p.portfolio AND d.business_date = p.business_date
    UNION ALL
    SELECT
        d.portfolio,
        d.business_date,
        'past_due_in_buckets' AS check_code,
        '' AS subject,
        d.past_due_minor AS expected,
        COALESCE(p.past_due_minor, 0) AS found
    FROM mart.fct_summary_daily AS d
    LEFT JOIN portfolio_sum AS p ON d.portfolio = p.portfolio AND d.business_date = p.business_date
    UNION ALL
    SELECT
        d.portfolio,
        d.business_date,
        'past_due_loans_listed' AS check_code,
        '' AS subject,
        d.past_due_loans AS expected,
        COALESCE(l.loans, 0) AS found
    FROM mart.fct_summary_daily AS d
    LEFT JOIN loan_sum AS l ON d.portfolio = l.portfolio AND d.business_date = l.business_date
    UNION ALL
    SELECT
        d.portfolio,
        d.business_date,
        'past_due_listed' AS check_code,
        '' AS subject,
        d.past_due_minor AS expected,
        COALESCE(l.past_due_minor, 0) AS found
    FROM mart.fct_summary_daily AS d
    LEFT JOIN loan_sum AS l ON d.portfolio = l.portfolio AND d.business_date = l.business_date
    UNION ALL
    SELECT
        p.portfolio,
        p.business_date,
        'principal_of_active_loans' AS check_code,
        '' AS subject,
        p.active_minor AS expected,
        COALESCE(r.denominator_minor, 0) AS found
    FROM portfolio_sum AS p
    LEFT JOIN par_sum AS r ON p.portfolio = r.portfolio AND p.business_date = r.business_date
    UNION ALL
    SELECT
        e.portfolio,
        e.business_date,
        'events_counted' AS check_code,
        '' AS subject,
        e.loans AS expected,
        COALESCE(t.loans, 0) AS found
    FROM event_sum AS e
    LEFT JOIN event_total_sum AS t ON e.portfolio = t.portfolio AND e.business_date = t.business_date
    UNION ALL
    SELECT
        e.portfolio,
        e.business_date,
        'events_summed' AS check_code,
        '' AS subject,
        e.past_due_minor AS expected,
        COALESCE(t.past_due_minor, 0) AS found
    FROM event_sum AS e
    LEFT JOIN event_total_sum AS t ON e.portfolio = t.portfolio AND e.business_date = t.business_date
    UNION ALL
    SELECT
        d.portfolio,
        d.business_date,
        'newly_overdue_counted' AS check_code,
        '' AS subject,
        d.newly_overdue_loans AS expected,
        COALESCE(t.newly_overdue_loans, 0) AS found
    FROM mart.fct_summary_daily AS d
    LEFT JOIN event_total_sum AS t ON d.portfolio = t.portfolio AND d.business_date = t.business_date
    UNION ALL
    SELECT
        m.portfolio,
        m.business_date,
        'matrix_row_is_whole' AS check_code,
        m.span_code || ' ' || m.from_bucket AS subject,
        COALESCE(b.loans, 0) AS expected,
        m.loans AS found
    FROM matrix_from AS m
    INNER JOIN mart.fct_summary_daily AS before_it
        ON m.portfolio = before_it.portfolio AND m.compared_with = before_it.business_date
    LEFT JOIN bucket_sum AS b
        ON m.portfolio = b.portfolio AND m.compared_with = b.business_date AND m.from_bucket = b.contract_bucket
    UNION ALL
    SELECT
        m.portfolio,
        m.business_date,
        'matrix_ends_in_portfolio' AS check_code,
        m.span_code AS subject,
        d.loans AS expected,
        m.loans AS found
    FROM matrix_to AS m
    INNER JOIN mart.fct_summary_daily AS d ON m.portfolio = d.portfolio AND m.business_date = d.business_date
    UNION ALL
    SELECT
        d.portfolio,
        d.business_date,
        'cases_open' AS check_code,
        '' AS subject,
        d.open_cases AS expected,
        COALESCE(c.open_cases, 0) AS found
    FROM mart.fct_summary_daily AS d
    LEFT JOIN case_sum AS c ON d.portfolio = c.portfolio AND d.business_date = c.business_date
    UNION ALL
    SELECT
        d.portfolio,
        d.business_date,
        'cases_assigned_or_not' AS check_code,
        '' AS subject,
        d.open_cases AS expected,
        COALESCE(a.cases, 0) AS found
    FROM mart.fct_summary_daily AS d
    LEFT JOIN assignment_sum AS a ON d.portfolio = a.portfolio AND d.business_date = a.business_date
    UNION ALL
    SELECT
        d.portfolio,
        d.business_date,
        'cases_in_queues' AS check_code,
        '' AS subject,
        d.open_cases AS expected,
        COALESCE(q.open_cases, 0) AS found
    FROM mart.fct_summary_daily AS d
    LEFT JOIN queue_sum AS q ON d.portfolio = q.portfolio AND d.business_date = q.business_date
    UNION ALL
    SELECT
        d.portfolio,
        d.business_date,
        'cases_opened_and_carried' AS check_code,
        '' AS subject,
        before_it.open_cases + COALESCE(c.opened_cases, 0) AS expected,
        COALESCE(c.closed_cases, 0) + d.open_cases AS found
    FROM mart.fct_summary_daily AS d
    INNER JOIN mart.fct_summary_daily AS before_it
        ON d.portfolio = before_it.portfolio AND d.compared_with = before_it.business_date
    LEFT JOIN case_sum AS c ON d.portfolio = c.portfolio AND d.business_date = c.business_date
    UNION ALL
    SELECT
        q.portfolio,
        q.business_date,
        'queue_is_whole' AS check_code,
        q.queue_id AS subject,
        q.open_cases AS expected,
        q.carried_cases + q.entered_cases AS found
    FROM mart.fct_queue_daily AS q
    UNION ALL
    SELECT
        q.portfolio,
        q.business_date,
        'queue_left_and_carried' AS check_code,
        q.queue_id AS subject,
        COALESCE(before_it.open_cases, 0) AS expected,
        q.carried_cases + q.left_cases AS found
    FROM mart.fct_queue_daily AS q
    INNER JOIN mart.fct_summary_daily AS d ON q.portfolio = d.portfolio AND q.business_date = d.business_date
    INNER JOIN mart.fct_summary_daily AS day_before
        ON d.portfolio = day_before.portfolio AND d.compared_with = day_before.business_date
    LEFT JOIN mart.fct_queue_daily AS before_it
        ON
            d.portfolio = before_it.portfolio
            AND d.compared_with = before_it.business_date
            AND q.queue_id = before_it.queue_id
    UNION ALL
    SELECT
        d.portfolio,
        d.business_date,
        'contacts_planned_or_blocked' AS check_code,
        '' AS subject,
        d.contacts_planned + d.contacts_blocked AS expected,
        COALESCE(p.contacts, 0) AS found
    FROM mart.fct_summary_daily AS d
    LEFT JOIN plan_sum AS p ON d.portfolio = p.portfolio AND d.business_date = p.business_date
    UNION ALL
    SELECT
        d.portfolio,
        d.business_date,
        'cash_of_two_ledgers' AS check_code,
        '' AS subject,
        d.cash_total_minor - before_it.cash_total_minor AS expected,
        COALESCE(p.cash_minor, 0) AS found
    FROM mart.fct_summary_daily AS d
    INNER JOIN mart.fct_summary_daily AS before_it
        ON d.portfolio = before_it.portfolio AND d.compared_with = before_it.business_date
    LEFT JOIN payment_sum AS p ON d.portfolio = p.portfolio AND d.business_date = p.business_date
    UNION ALL
    SELECT
        p.portfolio,
        p.business_date,
        'payments_allocated_to_components' AS check_code,
        '' AS subject,
        p.cash_minor AS expected,
        p.components_minor AS found
    FROM payment_sum AS p
    UNION ALL
    SELECT
        p.portfolio,
        p.business_date,
        'payments_allocated_by_due_date' AS check_code,
        '' AS subject,
        p.cash_minor AS expected,
        p.stages_minor AS found
    FROM payment_sum AS p
    UNION ALL
    SELECT
        e.portfolio,
        e.business_date,
        'entered_arrears' AS check_code,
        '' AS subject,
        e.entered_minor AS expected,
        COALESCE(c.entered_minor, 0) AS found
    FROM entry_sum AS e
    LEFT JOIN cohort_sum AS c ON e.portfolio = c.portfolio AND e.business_date = c.business_date
    UNION ALL
    SELECT
        d.portfolio,
        d.business_date,
        'ledger_rows' AS check_code,
        '' AS subject,
        d.rows_delivered AS expected,
        d.rows_accepted + d.rows_quarantined AS found
    FROM mart.fct_summary_daily AS d
)
SELECT
    portfolio,
    business_date,
    check_code,
    subject,
    expected::bigint AS expected,
    found::bigint AS found,
    (found - expected)::bigint AS difference,
    found = expected AS is_equal
FROM compared
