-- Reports as they stand: the highest revision of each, as known at the session's arrears.known_until (now, if unset);
-- what its source has withdrawn is left out.
-- Grain: one row per portfolio, source, kind and reference of the source.
-- Of: ops.feedback_event
WITH newest AS (
    SELECT DISTINCT ON (portfolio, source_code, kind_code, source_ref)
        event_id,
        portfolio,
        source_code,
        kind_code,
        source_ref,
        revision,
        person_id,
        party_id,
        contact_point_id,
        loan_ids,
        author_id,
        occurred_at,
        received_at,
        detail
    FROM ops.feedback_event
    WHERE received_at <= COALESCE(NULLIF(CURRENT_SETTING('arrears.known_until', TRUE), '')::TIMESTAMPTZ, 'infinity')
    ORDER BY portfolio ASC, source_code ASC, kind_code ASC, source_ref ASC, revision DESC
)
SELECT *
FROM newest
WHERE NOT COALESCE((detail ->> 'is_withdrawn')::BOOLEAN, FALSE)
