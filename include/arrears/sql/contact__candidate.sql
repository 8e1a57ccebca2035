-- Grain: candidate, coded: its kind of contact, its zones, its person in the zone that decides the local date.
-- Inputs: contact_candidate, contact_scope, contact_zones. Parameters: asks_dpd (whether any rule asks days past due).
SELECT
    candidate.candidate_id,
    candidate.book,
    candidate.person_id,
    DENSE_RANK() OVER (ORDER BY candidate.person_id, zones.first_zone) AS who_id,
    scope.scope_id,
    zones.zones_id,
    zones.first_zone,
    candidate.calendar,
    candidate.channel,
    candidate.contact_point_id,
    candidate.party_id,
    candidate.collector,
    candidate.debts,
    candidate.is_party_known AND candidate.party NOT IN ('', 'unknown') AS is_party_known,
    candidate.are_flags_known,
    candidate.is_history_known,
    candidate.are_consents_known,
    candidate.are_times_known,
    MAKE_TIMESTAMP(EPOCH_US(candidate.planned_at)) AS planned_at,
    MAKE_TIMESTAMP(EPOCH_US(candidate.until_at)) AS until_at,
    COALESCE(MAKE_TIMESTAMP(EPOCH_US(candidate.known_until_at)), 'infinity'::TIMESTAMP) AS known_until_at
FROM contact_candidate AS candidate
INNER JOIN contact_scope AS scope
    ON
        candidate.book = scope.book
        AND candidate.channel = scope.channel
        AND candidate.party = scope.party
        AND candidate.place = scope.place
        AND candidate.purpose = scope.purpose
        AND candidate.content = scope.content
        AND CASE WHEN $asks_dpd THEN candidate.days_past_due END IS NOT DISTINCT FROM scope.days_past_due
INNER JOIN contact_zones AS zones ON candidate.zones = zones.zones
