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
), day_sum AS NOT MATERIALIZED (
    -- Each big fact is read once, whatever number of checks it has.
    SELECT
        d.portfolio,
        d.business_date,
        d.loans,
        d.past_due_loans,
        d.past_due_minor,
        d.newly_overdue_loans,
        d.open_cases,
        d.contacts_planned + d.contacts_blocked AS contacts,
        d.rows_delivered,
        d.rows_accepted + d.rows_quarantined AS rows_known,
        d.cash_total_minor - before_it.cash_total_minor AS cash_since_minor,
        before_it.open_cases AS open_cases_before,
        p.loans AS bucket_loans,
        p.past_due_minor AS bucket_past_due_minor,
        p.active_minor,
        r.denominator_minor,
        l.loans AS listed_loans,
        l.past_due_minor AS listed_minor,
        e.loans AS event_loans,
        e.past_due_minor AS event_minor,
        t.loans AS total_loans,
        t.newly_overdue_loans AS total_newly_overdue_loans,
        t.past_due_minor AS total_minor,
        c.open_cases AS case_open,
        c.opened_cases AS case_opened,
        c.closed_cases AS case_closed,
        a.cases AS assigned_cases,
        q.open_cases AS queue_cases,
        k.contacts AS plan_contacts,
        m.cash_minor,
        m.components_minor,
        m.stages_minor,
        n.entered_minor,
        h.entered_minor AS cohort_minor
    FROM mart.fct_summary_daily AS d
    LEFT JOIN mart.fct_summary_daily AS before_it
        ON d.portfolio = before_it.portfolio AND d.compared_with = before_it.business_date
    LEFT JOIN portfolio_sum AS p ON d.portfolio = p.portfolio AND d.business_date = p.business_date
    LEFT JOIN par_sum AS r ON d.portfolio = r.portfolio AND d.business_date = r.business_date
    LEFT JOIN loan_sum AS l ON d.portfolio = l.portfolio AND d.business_date = l.business_date
    LEFT JOIN event_sum AS e ON d.portfolio = e.portfolio AND d.business_date = e.business_date
    LEFT JOIN event_total_sum AS t ON d.portfolio = t.portfolio AND d.business_date = t.business_date
    LEFT JOIN case_sum AS c ON d.portfolio = c.portfolio AND d.business_date = c.business_date
    LEFT JOIN assignment_sum AS a ON d.portfolio = a.portfolio AND d.business_date = a.business_date
    LEFT JOIN queue_sum AS q ON d.portfolio = q.portfolio AND d.business_date = q.business_date
    LEFT JOIN plan_sum AS k ON d.portfolio = k.portfolio AND d.business_date = k.business_date
    LEFT JOIN payment_sum AS m ON d.portfolio = m.portfolio AND d.business_date = m.business_date
    LEFT JOIN entry_sum AS n ON d.portfolio = n.portfolio AND d.business_date = n.business_date
    LEFT JOIN cohort_sum AS h ON d.portfolio = h.portfolio AND d.business_date = h.business_date
), compared AS NOT MATERIALIZED (
    SELECT
        day_sum.portfolio,
        day_sum.business_date,
        figures.check_code,
        '' AS subject,
        figures.expected,
        figures.found
    FROM day_sum
    CROSS JOIN
        LATERAL (
            VALUES
            ('loans_in_buckets', day_sum.loans, COALESCE(day_sum.bucket_loans, 0)),
            ('past_due_in_buckets', day_sum.past_due_minor, COALESCE(day_sum.bucket_past_due_minor, 0)),
            ('past_due_loans_listed', day_sum.past_due_loans, COALESCE(day_sum.listed_loans, 0)),
            ('past_due_listed', day_sum.past_due_minor, COALESCE(day_sum.listed_minor, 0)),
            ('principal_of_active_loans', day_sum.active_minor, COALESCE(day_sum.denominator_minor, 0)),
            ('events_counted', day_sum.event_loans, COALESCE(day_sum.total_loans, 0)),
            ('events_summed', day_sum.event_minor, COALESCE(day_sum.total_minor, 0)),
            ('newly_overdue_counted', day_sum.newly_overdue_loans, COALESCE(day_sum.total_newly_overdue_loans, 0)),
            ('cases_open', day_sum.open_cases, COALESCE(day_sum.case_open, 0)),
            ('cases_assigned_or_not', day_sum.open_cases, COALESCE(day_sum.assigned_cases, 0)),
            ('cases_in_queues', day_sum.open_cases, COALESCE(day_sum.queue_cases, 0)),
            (
                'cases_opened_and_carried',
                day_sum.open_cases_before + COALESCE(day_sum.case_opened, 0),
                COALESCE(day_sum.case_closed, 0) + day_sum.open_cases
            ),
            ('contacts_planned_or_blocked', day_sum.contacts, COALESCE(day_sum.plan_contacts, 0)),
            ('cash_of_two_ledgers', day_sum.cash_since_minor, COALESCE(day_sum.cash_minor, 0)),
            ('payments_allocated_to_components', day_sum.cash_minor, day_sum.components_minor),
            ('payments_allocated_by_due_date', day_sum.cash_minor, day_sum.stages_minor),
            ('entered_arrears', day_sum.entered_minor, COALESCE(day_sum.cohort_minor, 0)),
            ('ledger_rows', day_sum.rows_delivered, day_sum.rows_known)
        ) AS figures (check_code, expected, found)
    WHERE figures.expected IS NOT NULL
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
