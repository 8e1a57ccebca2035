-- Grain: candidate asked about in this round: its local date, the first instant after the time asked about, and the
-- last date of that time. Inputs: contact_asked (candidate_id, asked_at, until_at; until_at NULL: an instant; valid_on
-- NULL: rules of that local date), contact_candidate_coded, contact_zone_segment.
WITH bounded AS (
    SELECT
        candidate_id,
        asked_at,
        valid_on,
        COALESCE(until_at, asked_at + TO_MICROSECONDS(1)) AS until_at
    FROM contact_asked
), dated AS (
    SELECT
        bounded.candidate_id,
        bounded.asked_at,
        bounded.until_at,
        bounded.valid_on,
        CAST(bounded.asked_at + COALESCE(opening.utc_offset, TO_MICROSECONDS(0)) AS DATE) AS local_on,
        CAST(
            bounded.until_at - TO_MICROSECONDS(1) + COALESCE(closing.utc_offset, TO_MICROSECONDS(0)) AS DATE
        ) AS last_on
    FROM bounded
    INNER JOIN contact_candidate_coded AS candidate ON bounded.candidate_id = candidate.candidate_id
    LEFT JOIN contact_zone_segment AS opening
        ON
            candidate.first_zone = opening.zone
            AND bounded.asked_at >= opening.starts_at
            AND bounded.asked_at < opening.ends_at
    LEFT JOIN contact_zone_segment AS closing
        ON
            candidate.first_zone = closing.zone
            AND bounded.until_at > closing.starts_at
            AND bounded.until_at <= closing.ends_at
)
SELECT
    candidate.candidate_id,
    candidate.scope_id,
    candidate.who_id,
    candidate.zones_id,
    candidate.first_zone,
    candidate.calendar,
    candidate.channel,
    candidate.person_id,
    candidate.contact_point_id,
    candidate.party_id,
    candidate.collector,
    candidate.debts,
    candidate.is_history_known,
    candidate.are_consents_known,
    candidate.known_until_at,
    dated.asked_at,
    dated.until_at,
    dated.local_on,
    dated.last_on,
    COALESCE(dated.valid_on, dated.local_on) AS valid_on
FROM dated
INNER JOIN contact_candidate_coded AS candidate ON dated.candidate_id = candidate.candidate_id
