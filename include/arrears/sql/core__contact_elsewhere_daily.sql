-- Grain: contact that caps count beside the portfolio's own ledger: made or planned today by another portfolio with a
-- person of this one, or given out by the outbox and in no ledger yet. Rules: ARR-CON-02, ARR-CON-03.
-- Inputs: raw__party, raw__contact (own), elsewhere__party, elsewhere__contact, elsewhere__contact_point (ledgers of
-- the other portfolios), elsewhere__plan (their plans of the day), outbox. Parameters: own (portfolio), business_date.
WITH here AS (
    SELECT DISTINCT person_id
    FROM raw__party
), logged AS (
    SELECT
        contact.portfolio,
        contact.contact_id,
        contact.started_at,
        contact.channel_code,
        contact.outcome_code,
        contact.direction_code,
        contact.purpose_code,
        party.person_id,
        COALESCE(reached.place_code, 'personal') AS place_code
    FROM elsewhere__contact AS contact
    INNER JOIN elsewhere__party AS party
        ON contact.portfolio = party.portfolio AND contact.party_id = party.party_id
    INNER JOIN here ON party.person_id = here.person_id
    LEFT JOIN elsewhere__contact_point AS reached
        ON contact.portfolio = reached.portfolio AND contact.contact_point_id = reached.contact_point_id
), told AS (
    SELECT logged.portfolio, logged.person_id, logged.channel_code, logged.started_at
    FROM logged
    WHERE logged.direction_code = 'out'
    UNION ALL
    SELECT
        $own AS portfolio,
        party.person_id,
        contact.channel_code,
        contact.started_at
    FROM raw__contact AS contact
    INNER JOIN raw__party AS party ON contact.party_id = party.party_id
    WHERE contact.direction_code = 'out'
), given_out AS (
    SELECT outbox.*
    FROM outbox
    WHERE
        (
            (outbox.portfolio = $own AND outbox.business_date < $business_date)
            OR (outbox.portfolio <> $own AND outbox.person_id IN (SELECT here.person_id FROM here))
        )
        AND NOT EXISTS (
            SELECT 1
            FROM told
            WHERE
                told.portfolio = outbox.portfolio
                AND told.person_id = outbox.person_id
                AND told.channel_code = outbox.channel_code
                AND told.started_at >= outbox.not_before_at
                AND told.started_at < outbox.not_after_at
        )
)
SELECT
    CAST(portfolio AS VARCHAR) AS origin,
    CAST('ledger' AS VARCHAR) AS source_code,
    CAST(contact_id AS VARCHAR) AS contact_id,
    CAST(person_id AS VARCHAR) AS person_id,
    CAST(started_at AS TIMESTAMPTZ) AS started_at,
    CAST(channel_code AS VARCHAR) AS channel_code,
    CAST(direction_code AS VARCHAR) AS direction_code,
    CAST(purpose_code AS VARCHAR) AS purpose_code,
    CAST(place_code AS VARCHAR) AS place_code,
    CAST(outcome_code AS VARCHAR) AS outcome_code
FROM logged
UNION ALL
SELECT
    portfolio AS origin,
    'outbox' AS source_code,
    step_key AS contact_id,
    person_id,
    not_before_at AS started_at,
    channel_code,
    'out' AS direction_code,
    'collection' AS purpose_code,
    'personal' AS place_code,
    state_code AS outcome_code
FROM given_out
UNION ALL
SELECT
    planned.portfolio AS origin,
    'plan' AS source_code,
    planned.step_key AS contact_id,
    planned.person_id,
    planned.not_before_at AS started_at,
    planned.channel_code,
    'out' AS direction_code,
    planned.purpose_code,
    'personal' AS place_code,
    'sent' AS outcome_code
FROM elsewhere__plan AS planned
INNER JOIN here ON planned.person_id = here.person_id
WHERE
    planned.state_code = 'planned'
    AND planned.step_key NOT IN (SELECT given_out.step_key FROM given_out)
