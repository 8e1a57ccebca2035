-- Grain: contact known when the day was cut: of the ledger or reported; made by the portfolio's own outbox, and spoken
-- of by neither. Rules: ARR-CON-12. Inputs: raw__contact (with reports), raw__party, outbox_attempt.
-- Parameters: portfolio, business_date.
WITH told AS (
    SELECT
        contact.channel_code,
        contact.started_at,
        COALESCE(party.person_id, contact.party_id) AS person_id
    FROM raw__contact AS contact
    LEFT JOIN raw__party AS party ON contact.party_id = party.party_id
    WHERE contact.direction_code = 'out'
), attempted AS (
    SELECT
        attempt.*,
        COALESCE(party.person_id, attempt.party_id) AS person_id
    FROM outbox_attempt AS attempt
    LEFT JOIN raw__party AS party ON attempt.party_id = party.party_id
)
SELECT
    portfolio,
    business_date,
    contact_id,
    party_id,
    contact_point_id,
    channel_code,
    direction_code,
    purpose_code,
    started_at,
    outcome_code
FROM raw__contact
UNION ALL
SELECT
    $portfolio::VARCHAR AS portfolio,
    $business_date::DATE AS business_date,
    contact_id,
    party_id,
    contact_point_id,
    channel_code,
    'out' AS direction_code,
    purpose_code,
    started_at,
    outcome_code
FROM attempted
WHERE
    NOT EXISTS (
        SELECT 1
        FROM told
        WHERE
            told.person_id = attempted.person_id
            AND told.channel_code = attempted.channel_code
            AND told.started_at >= attempted.not_before_at
            AND told.started_at < attempted.not_after_at
    )
