-- Grain: candidate: case due a step, channel of the step and point of the party that the channel can use, the preferred
-- first; one without a point where the party has none. The zone of the point comes first, then any other of the person.
-- Rules: ARR-CON-01, ARR-CON-07. Inputs: due_step, contact_reach, channel_kind. Parameters: planned_at, until_at, turn.
WITH asked AS (
    SELECT
        due_step.*,
        UNNEST(due_step.channels) AS channel,
        UNNEST(RANGE(LEN(due_step.channels))) AS channel_no
    FROM due_step
    WHERE due_step.turn = $turn
), person_zone AS (
    SELECT person_id, LIST(DISTINCT timezone ORDER BY timezone) AS zones
    FROM contact_reach
    WHERE timezone IS NOT NULL
    GROUP BY person_id
), reached AS (
    SELECT
        asked.case_no,
        asked.channel_no,
        reach.*,
        ROW_NUMBER() OVER (PARTITION BY asked.case_no, asked.channel_no ORDER BY reach.preference) AS point_rank
    FROM asked
    INNER JOIN channel_kind ON asked.channel = channel_kind.channel
    INNER JOIN contact_reach AS reach
        ON
            asked.person_id = reach.person_id
            AND asked.borrower_id = reach.party_id
            AND channel_kind.kind = reach.kind_code
)
SELECT
    ROW_NUMBER() OVER (ORDER BY asked.case_no, asked.channel_no, reached.point_rank) AS candidate_id,
    asked.case_no,
    COALESCE(reached.point_rank, 0) AS point_rank,
    asked.book,
    asked.person_id,
    CASE
        WHEN reached.timezone IS NULL THEN COALESCE(person_zone.zones, [])
        ELSE LIST_PREPEND(reached.timezone, LIST_FILTER(person_zone.zones, LAMBDA zone: zone <> reached.timezone))
    END AS zones,
    '' AS calendar,
    asked.channel,
    'consumer' AS party,
    asked.person_id AS party_id,
    COALESCE(reached.place_code, 'personal') AS place,
    asked.purpose,
    asked.content,
    asked.days_past_due,
    reached.contact_point_id,
    '' AS collector,
    asked.debts,
    asked.is_party_known,
    $are_flags_known::BOOLEAN AS are_flags_known,
    $is_history_known::BOOLEAN AS is_history_known,
    $are_consents_known::BOOLEAN AS are_consents_known,
    $are_flags_known::BOOLEAN AS are_times_known,
    $planned_at::TIMESTAMPTZ AS planned_at,
    $until_at::TIMESTAMPTZ AS until_at,
    NULL::TIMESTAMPTZ AS known_until_at
FROM asked
LEFT JOIN reached ON asked.case_no = reached.case_no AND asked.channel_no = reached.channel_no
LEFT JOIN person_zone ON asked.person_id = person_zone.person_id
