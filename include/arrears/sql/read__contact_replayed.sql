-- Grain: contact made on one of some dates and zone the person may have been in, as a candidate of the contact policy
-- at the instant it was made, when only what had begun before it was known; one without a zone where nobody knows any.
-- Rules: ARR-CON-12. Inputs: contact_replay. Parameters: dates, are_flags_known, are_consents_known,
-- are_parties_known.
WITH zoned AS (
    SELECT
        contact_replay.*,
        UNNEST(CASE WHEN LEN(contact_replay.zones) = 0 THEN [NULL] ELSE contact_replay.zones END) AS timezone
    FROM contact_replay
    WHERE LIST_CONTAINS($dates::DATE[], contact_replay.made_on)
)
SELECT
    ROW_NUMBER() OVER (ORDER BY replay_id, timezone) AS candidate_id,
    replay_id,
    ARRAY_TO_STRING(products, '|') AS book,
    person_id,
    CASE WHEN timezone IS NULL THEN []::VARCHAR[] ELSE [timezone] END AS zones,
    '' AS calendar,
    channel_code AS channel,
    party,
    person_id AS party_id,
    place_code AS place,
    purpose_code AS purpose,
    []::VARCHAR[] AS content, -- noqa: RF04
    NULL::INTEGER AS days_past_due,
    contact_point_id,
    '' AS collector,
    loan_ids AS debts,
    $are_parties_known::BOOLEAN AS is_party_known,
    $are_flags_known::BOOLEAN AS are_flags_known,
    TRUE AS is_history_known,
    $are_consents_known::BOOLEAN AS are_consents_known,
    $are_flags_known::BOOLEAN AS are_times_known,
    started_at AS planned_at,
    NULL::TIMESTAMPTZ AS until_at,
    started_at AS known_until_at
FROM zoned
