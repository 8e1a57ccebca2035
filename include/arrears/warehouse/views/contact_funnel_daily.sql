-- Contact funnel: outgoing attempts, connects, right-party contacts, promises. Both right-party rates are given, over
-- attempts and over connects: sources mean either.
-- Grain: one row per portfolio, business date and channel.
-- Of: mart.fct_contact_attempt
-- attempts: Outgoing contacts known that day
-- connects: Of them, a conversation or a text that arrived
-- right_party_contacts: Of them with the right party; NULL: the source does not say
-- promises: Of them with a promise known that day too; NULL: promises are not delivered
-- connect_ratio: connects over attempts, rounded half up to 4 places
-- right_party_ratio: right_party_contacts over attempts
-- right_party_connect_ratio: right_party_contacts over connects
-- promise_ratio: promises over right_party_contacts
WITH counted AS (
    SELECT
        portfolio,
        business_date,
        channel_code,
        COUNT(*) AS attempts,
        COUNT(*) FILTER (WHERE is_connected) AS connects,
        CASE WHEN COUNT(right_party) > 0 THEN COUNT(*) FILTER (WHERE right_party = 'yes') END AS right_party_contacts,
        CASE WHEN COUNT(is_promise) > 0 THEN COUNT(*) FILTER (WHERE is_promise) END AS promises
    FROM mart.fct_contact_attempt
    WHERE direction_code = 'out'
    GROUP BY portfolio, business_date, channel_code
)
SELECT
    portfolio,
    business_date,
    channel_code,
    attempts,
    connects,
    right_party_contacts,
    promises,
    ROUND(connects::numeric / NULLIF(attempts, 0), 4) AS connect_ratio,
    ROUND(right_party_contacts::numeric / NULLIF(attempts, 0), 4) AS right_party_ratio,
    ROUND(right_party_contacts::numeric / NULLIF(connects, 0), 4) AS right_party_connect_ratio,
    ROUND(promises::numeric / NULLIF(right_party_contacts, 0), 4) AS promise_ratio
FROM counted
