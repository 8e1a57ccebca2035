-- Grain: loan_id x figure_code: open loans whose source says otherwise than this pipeline, beyond tolerance.
-- Rules: ARR-TIE-01 to ARR-TIE-03. Set-based twin of rules/tie_out.py. Inputs: raw__loan,
-- core__instalment_delinquency_daily. Parameters: $tolerance_minor (of ageing), $counts_<component> (whether the source
-- counts it), $tie_days, $tie_minor (tolerances of the comparison).
-- A figure that the source does not give is not compared; what costs is only what it gives.
WITH told AS (
    SELECT
        loan_id,
        product_code,
        currency,
        source_past_due_days,
        source_past_due_minor,
        payoff_minor,
        outstanding_principal_minor + accrued_interest_minor + outstanding_fee_minor + outstanding_penalty_minor
            AS parts_minor
    FROM raw__loan
    WHERE
        status_code IN ('active', 'charged_off')
        AND (source_past_due_days IS NOT NULL OR source_past_due_minor IS NOT NULL OR payoff_minor IS NOT NULL)
), counted AS (
    SELECT
        loan_id,
        overdue_on,
        past_due_days,
        CASE WHEN $counts_principal THEN past_due_principal_minor ELSE 0 END
        + CASE WHEN $counts_interest THEN past_due_interest_minor ELSE 0 END
        + CASE WHEN $counts_fee THEN past_due_fee_minor ELSE 0 END
        + CASE WHEN $counts_penalty THEN past_due_penalty_minor ELSE 0 END AS counted_minor
    FROM core__instalment_delinquency_daily
), running AS (
    SELECT
        *,
        SUM(counted_minor) OVER (PARTITION BY loan_id ORDER BY overdue_on) > $tolerance_minor AS is_beyond_tolerance
    FROM counted
), ours AS (
    SELECT
        loan_id,
        MAX(CASE WHEN is_beyond_tolerance AND counted_minor > 0 THEN past_due_days ELSE 0 END) AS past_due_days,
        CASE WHEN MAX(CASE WHEN is_beyond_tolerance THEN 1 ELSE 0 END) = 1 THEN SUM(counted_minor) ELSE 0 END
            AS past_due_minor
    FROM running
    GROUP BY loan_id
), figure AS (
    SELECT
        t.loan_id,
        t.product_code,
        t.currency,
        'past_due_days' AS figure_code,
        COALESCE(o.past_due_days, 0) AS ours,
        t.source_past_due_days AS theirs,
        $tie_days AS tolerance
    FROM told AS t
    LEFT JOIN ours AS o ON t.loan_id = o.loan_id
    UNION ALL
    SELECT
        t.loan_id,
        t.product_code,
        t.currency,
        'past_due_minor' AS figure_code,
        COALESCE(o.past_due_minor, 0) AS ours,
        t.source_past_due_minor AS theirs,
        $tie_minor AS tolerance
    FROM told AS t
    LEFT JOIN ours AS o ON t.loan_id = o.loan_id
    UNION ALL
    SELECT
        loan_id,
        product_code,
        currency,
        'payoff_minor' AS figure_code,
        parts_minor AS ours,
        payoff_minor AS theirs,
        $tie_minor AS tolerance
    FROM told
)
SELECT
    loan_id::VARCHAR AS loan_id,
    product_code::VARCHAR AS product_code,
    currency::VARCHAR AS currency,
    figure_code::VARCHAR AS figure_code,
    ours::BIGINT AS ours,
    theirs::BIGINT AS theirs
FROM figure
WHERE ABS(ours - theirs) > tolerance
