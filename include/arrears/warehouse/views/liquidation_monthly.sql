-- Liquidation: cash received in a month on the loans that were past due at its opening, over what was past due then.
-- Grain: one row per portfolio, month, bucket at the opening, product and currency.
-- Of: mart.fct_loan_daily
-- month_on: First day of the month; its business date shows the month's opening
-- placed_loans: Loans past due at the opening
-- placed_minor: Their past-due amount then
-- collected_minor: Net cash on them known in the month's ledgers
-- liquidation_ratio: collected_minor over placed_minor, rounded half up to 4 places
WITH placed AS (
    SELECT
        portfolio,
        business_date AS month_on,
        loan_id,
        contract_bucket,
        product_code,
        currency,
        past_due_minor
    FROM mart.fct_loan_daily
    WHERE EXTRACT(DAY FROM business_date) = 1
), received AS (
    SELECT
        portfolio,
        CAST(DATE_TRUNC('month', business_date - 1) AS date) AS month_on,
        loan_id,
        SUM(cash_minor) AS cash_minor
    FROM mart.fct_payment_allocated
    GROUP BY portfolio, CAST(DATE_TRUNC('month', business_date - 1) AS date), loan_id
), summed AS (
    SELECT
        placed.portfolio,
        placed.month_on,
        placed.contract_bucket,
        placed.product_code,
        placed.currency,
        COUNT(*) AS placed_loans,
        CAST(SUM(placed.past_due_minor) AS bigint) AS placed_minor,
        CAST(COALESCE(SUM(received.cash_minor), 0) AS bigint) AS collected_minor
    FROM placed
    LEFT JOIN received
        ON
            placed.portfolio = received.portfolio
            AND placed.month_on = received.month_on
            AND placed.loan_id = received.loan_id
    GROUP BY placed.portfolio, placed.month_on, placed.contract_bucket, placed.product_code, placed.currency
)
SELECT
    portfolio,
    month_on,
    contract_bucket,
    product_code,
    currency,
    placed_loans,
    placed_minor,
    collected_minor,
    ROUND(CAST(collected_minor AS numeric) / NULLIF(placed_minor, 0), 4) AS liquidation_ratio
FROM summed
