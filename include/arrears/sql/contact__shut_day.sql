-- Grain: candidate asked about for a day on which its hours leave no span, and hours rule that shuts it.
-- Rules: ARR-CON-01. Inputs: contact_span.
SELECT
    candidate_id,
    UNNEST(shut_rule_nos) AS rule_no,
    'infinity'::TIMESTAMP AS clears_at
FROM contact_span
WHERE opens_at IS NULL
