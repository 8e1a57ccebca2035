-- Grain: candidate asked about for a day: its longest open span, or the whole day where there is none or a fact is
-- missing. Inputs: contact_asked, contact_span, contact_missing.
SELECT
    asked.candidate_id,
    COALESCE(span.opens_at, asked.asked_at) AS asked_at,
    COALESCE(span.closes_at, asked.until_at) AS until_at,
    NULL::DATE AS valid_on
FROM contact_asked AS asked
LEFT JOIN contact_span AS span ON asked.candidate_id = span.candidate_id
