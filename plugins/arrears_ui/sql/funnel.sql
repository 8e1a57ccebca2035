-- Contact funnel: outgoing contacts known that day, and how far each came.
-- Grain: one row per channel.
SELECT
    channel_code,
    attempts,
    connects,
    right_party_contacts,
    promises,
    connect_ratio,
    right_party_ratio,
    promise_ratio
FROM bi.contact_funnel_daily
WHERE portfolio = $portfolio AND business_date = $business_date
ORDER BY attempts DESC, channel_code ASC
