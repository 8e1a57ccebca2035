-- Grain: event x product x currency.
-- Rules: ARR-MET-02. Inputs: core__delinquency_event_daily.
SELECT
    event_code::VARCHAR AS event_code,
    product_code::VARCHAR AS product_code,
    currency::VARCHAR AS currency,
    COUNT(*)::BIGINT AS loans,
    SUM(past_due_minor)::BIGINT AS past_due_minor
FROM core__delinquency_event_daily
GROUP BY event_code, product_code, currency
