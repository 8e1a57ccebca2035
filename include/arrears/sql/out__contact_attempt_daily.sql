-- Grain: contact that the ledger of the day holds and the ledger before did not, with case and queue it fell into.
-- A contact is told once, on the day it became known, and so is whether a promise was made in it: by the promises that
-- the same ledger holds. A promise that a later ledger brings is told by the promises' own fact; no day is told anew.
-- Rules: ARR-MET-14. Inputs: raw__contact, previous__contact, raw__promise, core__case_daily, previous__assignment.
-- Parameters: $zone, $has_promises.
WITH made AS (
    SELECT
        c.*,
        TIMEZONE($zone, c.started_at)::DATE AS made_on
    FROM raw__contact AS c
    LEFT JOIN previous__contact AS p ON c.contact_id = p.contact_id
    WHERE p.contact_id IS NULL
), worked AS (
    SELECT m.contact_id, ARG_MAX(c.case_id, c.opened_on) AS case_id
    FROM made AS m
    INNER JOIN core__case_daily AS c ON m.party_id = c.borrower_id AND m.made_on >= c.opened_on
    GROUP BY m.contact_id
), promised AS (
    SELECT DISTINCT contact_id
    FROM raw__promise
    WHERE contact_id IS NOT NULL
)
SELECT
    m.contact_id::VARCHAR AS contact_id,
    m.party_id::VARCHAR AS party_id,
    w.case_id::VARCHAR AS case_id,
    a.queue_id::VARCHAR AS queue_id,
    m.agent_id::VARCHAR AS agent_id,
    m.channel_code::VARCHAR AS channel_code,
    m.direction_code::VARCHAR AS direction_code,
    m.purpose_code::VARCHAR AS purpose_code,
    m.started_at::TIMESTAMPTZ AS started_at,
    m.made_on::DATE AS made_on,
    m.outcome_code::VARCHAR AS outcome_code,
    (m.outcome_code IN ('conversation', 'delivered', 'read', 'received'))::BOOLEAN AS is_connected,
    m.right_party::VARCHAR AS right_party,
    CASE WHEN $has_promises THEN p.contact_id IS NOT NULL END::BOOLEAN AS is_promise
FROM made AS m
LEFT JOIN worked AS w ON m.contact_id = w.contact_id
LEFT JOIN promised AS p ON m.contact_id = p.contact_id
LEFT JOIN previous__assignment AS a ON w.case_id = a.case_id
