-- Open loans by bucket, current first, then by age.
-- Grain: one row per contract bucket and currency.
SELECT
    contract_bucket,
    currency,
    SUM(loans)::bigint AS loans,
    SUM(outstanding_principal_minor)::bigint AS outstanding_principal_minor,
    SUM(past_due_minor)::bigint AS past_due_minor,
    ROUND(
        SUM(outstanding_principal_minor)
        / NULLIF(SUM(SUM(outstanding_principal_minor)) OVER (PARTITION BY currency), 0), 4
    ) AS principal_share
FROM bi.portfolio_daily
WHERE portfolio = $portfolio AND business_date = $business_date
GROUP BY contract_bucket, currency
ORDER BY currency, SUBSTRING(contract_bucket FROM '[0-9]+')::integer NULLS FIRST, contract_bucket
