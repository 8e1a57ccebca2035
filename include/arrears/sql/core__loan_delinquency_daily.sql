-- Grain: loan_id: every loan of the ledger, open or ended; ended loans and loans with nothing past due are zeros.
-- Rules: ARR-AGE-01, ARR-AGE-05, ARR-AGE-06, ARR-AGE-08 to ARR-AGE-11, ARR-BKT-01, ARR-BKT-03. Set-based twin of
-- rules/ageing.py (age_of_loan) and rules/conventions.py.
-- Inputs: raw__loan, core__instalment_delinquency_daily of the same day, frozen and material (made by account__*.sql),
-- bucket(code, from_days, to_days).
-- Parameters: $closing_date, $as_of, $counted_until, $month_lag, $grace_days, $grace_code, $tolerance_minor,
-- $material_minor and $material_bps (NULL where nobody asks), $current_bucket (code of 0 days).
-- Loans in arrears and all others are two branches: the others are constants, which costs nothing at any size.
WITH unpaid AS (
    SELECT
        *,
        -- over dates, not numbers: instalments of one date pass the tolerance together
        SUM(CASE WHEN is_counted THEN past_due_minor ELSE 0 END) OVER (PARTITION BY loan_id ORDER BY overdue_on)
        > $tolerance_minor AS is_beyond_tolerance
    FROM core__instalment_delinquency_daily
), arrears AS (
    SELECT
        loan_id,
        MIN(CASE WHEN is_beyond_tolerance THEN overdue_on END) AS past_due_on,
        MAX(CASE WHEN is_beyond_tolerance THEN past_due_days END) AS past_due_days,
        MAX(CASE WHEN is_beyond_tolerance THEN paused_days END) AS paused_days,
        SUM(CASE WHEN is_beyond_tolerance THEN 1 ELSE 0 END) AS past_due_instalments,
        SUM(past_due_minor) AS past_due_minor,
        SUM(past_due_principal_minor) AS past_due_principal_minor,
        SUM(past_due_interest_minor) AS past_due_interest_minor,
        SUM(past_due_fee_minor) AS past_due_fee_minor,
        SUM(past_due_penalty_minor) AS past_due_penalty_minor
    FROM unpaid
    GROUP BY loan_id
), aged AS (
    SELECT
        l.loan_id,
        l.borrower_id,
        l.product_code,
        l.currency,
        l.status_code,
        l.outstanding_principal_minor,
        a.past_due_on,
        a.past_due_days,
        a.paused_days,
        a.past_due_instalments,
        a.past_due_minor,
        a.past_due_principal_minor,
        a.past_due_interest_minor,
        a.past_due_fee_minor,
        a.past_due_penalty_minor,
        COALESCE(l.grace_days, $grace_days) AS grace_days,
        COALESCE(l.grace_code, $grace_code) = 'threshold' AS is_threshold,
        GREATEST(0, a.past_due_days - a.paused_days) AS counted_days,
        a.past_due_minor > $material_minor
        AND a.past_due_minor::DECIMAL(28, 0) * 10000
        > l.outstanding_principal_minor::DECIMAL(28, 0) * $material_bps AS is_material
    FROM raw__loan AS l
    INNER JOIN arrears AS a ON l.loan_id = a.loan_id
), span AS (
    -- what few loans have: a count since or until another day than all others
    SELECT
        a.loan_id,
        TRUE AS is_frozen,
        a.past_due_on AS since_on,
        f.classified_until - COALESCE($month_lag, 0) AS until_on,
        a.paused_days - f.paused_since AS paused_days
    FROM aged AS a
    INNER JOIN frozen AS f ON a.loan_id = f.loan_id
    UNION ALL
    SELECT
        a.loan_id,
        FALSE AS is_frozen,
        COALESCE(m.material_on, a.past_due_on) AS since_on,
        $counted_until - COALESCE($month_lag, 0) AS until_on,
        0 AS paused_days
    FROM aged AS a
    LEFT JOIN material AS m ON a.loan_id = m.loan_id
    WHERE a.is_material
), counted_span AS (
    SELECT
        loan_id,
        is_frozen,
        CASE
            WHEN since_on > until_on THEN 0
            WHEN $month_lag::INTEGER IS NULL THEN GREATEST(0, DATE_DIFF('day', since_on, until_on) - paused_days)
            ELSE
                GREATEST(
                    0,
                    30 * (
                        (YEAR(until_on) - YEAR(since_on)) * 12 + MONTH(until_on) - MONTH(since_on)
                        - CASE WHEN DAY(until_on) < LEAST(DAY(since_on), DAY(LAST_DAY(until_on))) THEN 1 ELSE 0 END
                    ) - paused_days
                )
        END AS day_count
    FROM span
), definition AS (
    SELECT
        loan_id,
        MAX(CASE WHEN NOT is_frozen THEN day_count END) AS material_days,
        MAX(CASE WHEN is_frozen THEN day_count END) AS frozen_days
    FROM counted_span
    GROUP BY loan_id
), defined AS (
    SELECT
        a.*,
        (YEAR($counted_until - 1) - YEAR(a.past_due_on)) * 12 + MONTH($counted_until - 1) - MONTH(a.past_due_on)
        - CASE
            WHEN DAY($counted_until - 1) < LEAST(DAY(a.past_due_on), DAY(LAST_DAY($counted_until - 1))) THEN 1 ELSE 0
        END AS months_ots,
        (YEAR($counted_until) - YEAR(a.past_due_on)) * 12 + MONTH($counted_until) - MONTH(a.past_due_on)
        - CASE
            WHEN DAY($counted_until) < LEAST(DAY(a.past_due_on), DAY(LAST_DAY($counted_until))) THEN 1 ELSE 0
        END AS months_mba,
        CASE
            WHEN $material_minor::BIGINT IS NOT NULL THEN CASE WHEN a.is_material THEN d.material_days ELSE 0 END
        END AS material_days,
        COALESCE(d.frozen_days, a.counted_days) AS bucket_counted_days
    FROM aged AS a
    LEFT JOIN definition AS d ON a.loan_id = d.loan_id
), graced AS (
    SELECT
        *,
        CASE
            WHEN NOT is_threshold THEN GREATEST(0, counted_days - grace_days)
            WHEN counted_days > grace_days THEN counted_days
            ELSE 0
        END AS delinquent_days,
        CASE
            WHEN NOT is_threshold THEN GREATEST(0, bucket_counted_days - grace_days)
            WHEN bucket_counted_days > grace_days THEN bucket_counted_days
            ELSE 0
        END AS bucket_days
    FROM defined
), counted AS (
    SELECT past_due_days AS age_days
    FROM graced
    UNION
    SELECT bucket_days AS age_days
    FROM graced
), day_bucket AS (
    SELECT
        c.age_days,
        b.code
    FROM counted AS c
    INNER JOIN bucket AS b ON c.age_days BETWEEN b.from_days AND b.to_days
)
SELECT
    $closing_date::DATE AS closing_date,
    $as_of::DATE AS as_of,
    a.loan_id::VARCHAR AS loan_id,
    a.borrower_id::VARCHAR AS borrower_id,
    a.product_code::VARCHAR AS product_code,
    a.currency::VARCHAR AS currency,
    a.status_code::VARCHAR AS status_code,
    TRUE AS is_open,
    a.past_due_on::DATE AS past_due_on,
    a.past_due_days::INTEGER AS past_due_days,
    a.paused_days::INTEGER AS paused_days,
    a.delinquent_days::INTEGER AS delinquent_days,
    a.past_due_instalments::INTEGER AS past_due_instalments,
    a.past_due_minor::BIGINT AS past_due_minor,
    a.past_due_principal_minor::BIGINT AS past_due_principal_minor,
    a.past_due_interest_minor::BIGINT AS past_due_interest_minor,
    a.past_due_fee_minor::BIGINT AS past_due_fee_minor,
    a.past_due_penalty_minor::BIGINT AS past_due_penalty_minor,
    a.outstanding_principal_minor::BIGINT AS outstanding_principal_minor,
    a.months_ots::INTEGER AS past_due_months_ots,
    a.months_mba::INTEGER AS past_due_months_mba,
    a.material_days::INTEGER AS material_days,
    a.bucket_days::INTEGER AS bucket_days,
    b.code::VARCHAR AS bucket,
    c.code::VARCHAR AS contract_bucket
FROM graced AS a
INNER JOIN day_bucket AS b ON a.bucket_days = b.age_days
INNER JOIN day_bucket AS c ON a.past_due_days = c.age_days
UNION ALL
SELECT
    $closing_date::DATE AS closing_date,
    $as_of::DATE AS as_of,
    l.loan_id::VARCHAR AS loan_id,
    l.borrower_id::VARCHAR AS borrower_id,
    l.product_code::VARCHAR AS product_code,
    l.currency::VARCHAR AS currency,
    l.status_code::VARCHAR AS status_code,
    (l.status_code IN ('active', 'charged_off'))::BOOLEAN AS is_open,
    NULL::DATE AS past_due_on,
    0::INTEGER AS past_due_days,
    0::INTEGER AS paused_days,
    0::INTEGER AS delinquent_days,
    0::INTEGER AS past_due_instalments,
    0::BIGINT AS past_due_minor,
    0::BIGINT AS past_due_principal_minor,
    0::BIGINT AS past_due_interest_minor,
    0::BIGINT AS past_due_fee_minor,
    0::BIGINT AS past_due_penalty_minor,
    CASE
        WHEN l.status_code IN ('active', 'charged_off') THEN l.outstanding_principal_minor ELSE 0
    END::BIGINT AS outstanding_principal_minor,
    0::INTEGER AS past_due_months_ots,
    0::INTEGER AS past_due_months_mba,
    CASE WHEN $material_minor::BIGINT IS NOT NULL THEN 0 END::INTEGER AS material_days,
    0::INTEGER AS bucket_days,
    $current_bucket::VARCHAR AS bucket,
    $current_bucket::VARCHAR AS contract_bucket
FROM raw__loan AS l
LEFT JOIN arrears AS a ON l.loan_id = a.loan_id
WHERE a.loan_id IS NULL
