-- Charge-offs of a month, what is recovered on charged-off loans, and the net charge-off over the average balance.
-- Grain: one row per portfolio, month, product and currency.
-- Of: mart.fct_par_daily
-- month_on: First day of the month of the closing dates
-- charged_off_minor: Outstanding principal of loans when they were charged off in the month
-- recovered_minor: Net cash received in the month on charged-off loans
-- average_balance_minor: Mean outstanding principal of active loans over the month's published closes
-- recovery_ratio: recovered_minor over charged_off_minor, rounded half up to 4 places
-- net_charge_off_ratio: charged_off_minor less recovered_minor, over average_balance_minor
WITH balance AS (
    SELECT
        portfolio,
        CAST(DATE_TRUNC('month', closing_date) AS date) AS month_on,
        product_code,
        currency,
        CAST(ROUND(CAST(SUM(denominator_minor) AS numeric) / COUNT(*), 0) AS bigint) AS average_balance_minor
    FROM mart.fct_par_daily
    WHERE threshold_days = 30
    GROUP BY portfolio, CAST(DATE_TRUNC('month', closing_date) AS date), product_code, currency
), written_off AS (
    SELECT
        portfolio,
        CAST(DATE_TRUNC('month', business_date - 1) AS date) AS month_on,
        product_code,
        currency,
        CAST(SUM(outstanding_principal_minor) AS bigint) AS charged_off_minor
    FROM mart.fct_bucket_migration_daily
    WHERE span_code = 'day' AND direction_code = 'charged_off'
    GROUP BY portfolio, CAST(DATE_TRUNC('month', business_date - 1) AS date), product_code, currency
), recovered AS (
    SELECT
        portfolio,
        CAST(DATE_TRUNC('month', business_date - 1) AS date) AS month_on,
        product_code,
        currency,
        CAST(SUM(cash_minor) AS bigint) AS recovered_minor
    FROM mart.fct_payment_allocated
    WHERE status_code = 'charged_off'
    GROUP BY portfolio, CAST(DATE_TRUNC('month', business_date - 1) AS date), product_code, currency
)
SELECT
    balance.portfolio,
    balance.month_on,
    balance.product_code,
    balance.currency,
    CAST(COALESCE(written_off.charged_off_minor, 0) AS bigint) AS charged_off_minor,
    CAST(COALESCE(recovered.recovered_minor, 0) AS bigint) AS recovered_minor,
    balance.average_balance_minor,
    ROUND(CAST(COALESCE(recovered.recovered_minor, 0) AS numeric) / NULLIF(written_off.charged_off_minor, 0), 4)
        AS recovery_ratio,
    ROUND(
        CAST((COALESCE(written_off.charged_off_minor, 0) - COALESCE(recovered.recovered_minor, 0)) AS numeric)
        / NULLIF(balance.average_balance_minor, 0),
        4
    ) AS net_charge_off_ratio
FROM balance
LEFT JOIN written_off
    ON
        balance.portfolio = written_off.portfolio
        AND balance.month_on = written_off.month_on
        AND balance.product_code = written_off.product_code
        AND balance.currency = written_off.currency
LEFT JOIN recovered
    ON
        balance.portfolio = recovered.portfolio
        AND balance.month_on = recovered.month_on
        AND balance.product_code = recovered.product_code
        AND balance.currency = recovered.currency
