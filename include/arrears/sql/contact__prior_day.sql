-- Grain: contact so far that some rule may still count, and zone that decides the local date; with that date.
-- Rules: ARR-CON-02, ARR-CON-03. Inputs: contact_prior, contact_prior_scope, contact_counting, contact_candidate_coded,
-- contact_zone_segment. Parameters: first_at (nothing is asked about before it).
WITH who AS (
    SELECT DISTINCT who_id, person_id, first_zone
    FROM contact_candidate_coded
    WHERE first_zone IS NOT NULL
), counted AS (
    SELECT
        prior_scope_id,
        MAX(
            CASE window_code
                WHEN 'rolling_days' THEN window_days
                WHEN 'calendar_day' THEN 1
                WHEN 'calendar_week' THEN 7
                WHEN 'calendar_month' THEN 31
            END
        ) AS counted_days,
        BOOL_OR(window_code = 'ever') AS is_for_ever
    FROM contact_counting
    GROUP BY prior_scope_id
), counted_scope AS (
    SELECT
        prior_scope.*,
        CASE
            WHEN counted.is_for_ever THEN CAST('-infinity' AS TIMESTAMPTZ)
            ELSE $first_at - TO_DAYS(counted.counted_days + 1)
        END AS since_at
    FROM contact_prior_scope AS prior_scope
    INNER JOIN counted ON prior_scope.prior_scope_id = counted.prior_scope_id
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
    INNER JOIN counted_scope AS scope
        ON
            contact.channel = scope.channel
            AND contact.outcome = scope.outcome
            AND contact.direction = scope.direction
            AND contact.party = scope.party
            AND contact.place = scope.place
            AND contact.purpose = scope.purpose
            AND contact.started_at >= scope.since_at
    INNER JOIN who ON contact.person_id = who.person_id
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
