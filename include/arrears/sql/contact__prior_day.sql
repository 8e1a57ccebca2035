-- Grain: contact so far that some rule counts, and zone that decides the local date; with that date.
-- Rules: ARR-CON-02, ARR-CON-03. Inputs: contact_prior, contact_prior_scope, contact_candidate_coded,
-- contact_zone_segment. Parameters: since (no rule counts what was before it).
WITH who AS (
    SELECT DISTINCT who_id, person_id, first_zone
    FROM contact_candidate_coded
    WHERE first_zone IS NOT NULL
), earlier AS (
    SELECT
        who.who_id,
        who.first_zone,
        scope.prior_scope_id,
        contact.party_id,
        contact.collector,
        contact.contact_point_id,
        contact.debts,
        MAKE_TIMESTAMP(EPOCH_US(contact.started_at)) AS started_at
    FROM contact_prior AS contact
    INNER JOIN who ON contact.person_id = who.person_id
    INNER JOIN contact_prior_scope AS scope
        ON
            contact.channel = scope.channel
            AND contact.outcome = scope.outcome
            AND contact.direction = scope.direction
            AND contact.party = scope.party
            AND contact.place = scope.place
            AND contact.purpose = scope.purpose
    WHERE contact.started_at >= $since
)
SELECT
    earlier.who_id,
    earlier.prior_scope_id,
    CAST(earlier.started_at + segment.utc_offset AS DATE) AS local_on,
    earlier.started_at,
    earlier.party_id,
    earlier.collector,
    earlier.contact_point_id,
    earlier.debts
FROM earlier
INNER JOIN contact_zone_segment AS segment
    ON
        earlier.first_zone = segment.zone
        AND earlier.started_at >= segment.starts_at
        AND earlier.started_at < segment.ends_at
