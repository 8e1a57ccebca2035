-- What became of each bucket over a month: forward, back, cured, stayed, ended. The seven shares sum to 1 but for
-- rounding. Loans that were not there at the month's beginning are left out.
-- Grain: one row per portfolio, month, from-bucket, product and currency.
-- Of: mart.fct_bucket_migration_daily
-- month_on: First day of the month
-- loans: Loans in the bucket at the close before the month
-- opening_minor: Their outstanding principal
-- forward_minor: Of it, in a worse bucket at the month's close
-- back_minor: Of it, in a better bucket that is not current
-- cure_minor: Of it, current
-- stay_minor: Of it, in the same bucket
-- paid_off_minor: Of it, paid off or settled
-- charged_off_minor: Of it, newly charged off
-- left_minor: Of it, sold, transferred, cancelled or missing
-- forward_loans: Loans in a worse bucket at the month's close
-- forward_ratio: forward_minor over opening_minor (迁徙率), rounded half up to 4 places
-- back_ratio: back_minor over opening_minor
-- cure_ratio: cure_minor over opening_minor
-- stay_ratio: stay_minor over opening_minor
-- paid_off_ratio: paid_off_minor over opening_minor
-- charged_off_ratio: charged_off_minor over opening_minor
-- left_ratio: left_minor over opening_minor
-- forward_loans_ratio: forward_loans over loans
-- performance_ratio: 1 less forward_ratio
WITH moved AS (
    SELECT
        portfolio,
        compared_with AS month_on,
        from_bucket,
        from_rank,
        product_code,
        currency,
        SUM(loans)::bigint AS loans,
        SUM(outstanding_principal_minor)::bigint AS opening_minor,
        COALESCE(SUM(outstanding_principal_minor) FILTER (WHERE direction_code = 'forward'), 0)::bigint
            AS forward_minor,
        COALESCE(SUM(outstanding_principal_minor) FILTER (WHERE direction_code = 'back'), 0)::bigint AS back_minor,
        COALESCE(SUM(outstanding_principal_minor) FILTER (WHERE direction_code = 'cure'), 0)::bigint AS cure_minor,
        COALESCE(SUM(outstanding_principal_minor) FILTER (WHERE direction_code = 'stay'), 0)::bigint AS stay_minor,
        COALESCE(SUM(outstanding_principal_minor) FILTER (WHERE direction_code = 'paid_off'), 0)::bigint
            AS paid_off_minor,
        COALESCE(SUM(outstanding_principal_minor) FILTER (WHERE direction_code = 'charged_off'), 0)::bigint
            AS charged_off_minor,
        COALESCE(SUM(outstanding_principal_minor) FILTER (WHERE direction_code = 'left'), 0)::bigint AS left_minor,
        COALESCE(SUM(loans) FILTER (WHERE direction_code = 'forward'), 0)::bigint AS forward_loans
    FROM mart.fct_bucket_migration_daily
    WHERE span_code = 'month' AND direction_code <> 'new'
    GROUP BY portfolio, compared_with, from_bucket, from_rank, product_code, currency
)
SELECT
    portfolio,
    month_on,
    from_bucket,
    from_rank,
    product_code,
    currency,
    loans,
    opening_minor,
    forward_minor,
    back_minor,
    cure_minor,
    stay_minor,
    paid_off_minor,
    charged_off_minor,
    left_minor,
    forward_loans,
    ROUND(forward_minor::numeric / NULLIF(opening_minor, 0), 4) AS forward_ratio,
    ROUND(back_minor::numeric / NULLIF(opening_minor, 0), 4) AS back_ratio,
    ROUND(cure_minor::numeric / NULLIF(opening_minor, 0), 4) AS cure_ratio,
    ROUND(stay_minor::numeric / NULLIF(opening_minor, 0), 4) AS stay_ratio,
    ROUND(paid_off_minor::numeric / NULLIF(opening_minor, 0), 4) AS paid_off_ratio,
    ROUND(charged_off_minor::numeric / NULLIF(opening_minor, 0), 4) AS charged_off_ratio,
    ROUND(left_minor::numeric / NULLIF(opening_minor, 0), 4) AS left_ratio,
    ROUND(forward_loans::numeric / NULLIF(loans, 0), 4) AS forward_loans_ratio,
    ROUND(1 - forward_minor::numeric / NULLIF(opening_minor, 0), 4) AS performance_ratio
FROM moved
