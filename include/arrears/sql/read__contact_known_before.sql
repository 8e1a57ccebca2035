-- Grain: contact known at the cut of the day before: of its ledger, reported by then, or begun by our own outbox.
-- Inputs: previous__contact, reported_before, outbox_attempt. Parameters: cut_before (NULL on the first day).
SELECT contact_id
FROM previous__contact
UNION
SELECT UNNEST([source_ref, source_code || ':' || source_ref]) AS contact_id
FROM reported_before
UNION
SELECT contact_id
FROM outbox_attempt
WHERE started_at <= $cut_before::TIMESTAMPTZ
