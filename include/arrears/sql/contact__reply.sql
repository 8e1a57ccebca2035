-- Grain: candidate and rule that fires, but tolerates one reply: the instant the person wrote at, and nobody has
-- answered.
-- A stop that came with the message itself is no stop in spite of which the person wrote: a block is asked a moment
-- before. Rules: ARR-CON-11. Inputs: contact_firing, contact_ask, contact_minding, contact_prior.
WITH tolerant AS (
    SELECT
        ask.candidate_id,
        ask.person_id,
        ask.channel,
        ask.party_id,
        ask.contact_point_id,
        ask.asked_at,
        ask.valid_on,
        ask.known_until_at,
        minding.rule_no,
        minding.kind
    FROM contact_firing AS firing
    INNER JOIN contact_ask AS ask ON firing.candidate_id = ask.candidate_id
    INNER JOIN contact_minding AS minding
        ON ask.scope_id = minding.scope_id AND firing.rule_no = minding.rule_no AND minding.tolerates_reply
    WHERE ask.is_history_known
), exchanged AS (
    SELECT
        tolerant.candidate_id,
        tolerant.rule_no,
        tolerant.kind,
        tolerant.asked_at,
        tolerant.valid_on,
        tolerant.contact_point_id AS planned_point_id,
        earlier.direction,
        earlier.outcome,
        earlier.contact_point_id,
        MAKE_TIMESTAMP(EPOCH_US(earlier.started_at)) AS started_at,
        ROW_NUMBER() OVER (
            PARTITION BY tolerant.candidate_id, tolerant.rule_no
            ORDER BY earlier.started_at DESC, earlier.direction DESC
        ) AS newest_first
    FROM tolerant
    INNER JOIN contact_prior AS earlier
        ON
            tolerant.person_id = earlier.person_id
            AND tolerant.channel = earlier.channel
            AND tolerant.party_id = earlier.party_id
            AND MAKE_TIMESTAMP(EPOCH_US(earlier.started_at)) <= tolerant.asked_at
            AND MAKE_TIMESTAMP(EPOCH_US(earlier.started_at)) < tolerant.known_until_at
)
SELECT
    candidate_id,
    rule_no,
    valid_on,
    asked_at AS planned_at,
    CASE WHEN kind IN ('block', 'require') THEN 'block' ELSE 'timing' END AS kind,
    CASE WHEN kind = 'block' THEN started_at - TO_MICROSECONDS(1) ELSE started_at END AS asked_at,
    NULL::TIMESTAMP AS until_at
FROM exchanged
WHERE
    newest_first = 1
    AND direction = 'in'
    AND outcome <> 'conversation'
    AND (contact_point_id IS NULL OR contact_point_id = planned_point_id)
