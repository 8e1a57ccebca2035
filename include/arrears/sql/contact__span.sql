-- Grain: candidate asked about for a day, no fact missing: the longest span in which all its hours rules are open.
-- Rules: ARR-CON-01. Inputs: contact_hours_in_force, contact_open_span (by distinct day), contact_missing.
SELECT
    in_force.candidate_id,
    open_span.opens_at,
    open_span.closes_at,
    open_span.shut_rule_nos
FROM contact_hours_in_force AS in_force
INNER JOIN contact_open_span AS open_span
    ON
        in_force.rule_nos = open_span.rule_nos
        AND in_force.times = open_span.times
        AND in_force.zones_id = open_span.zones_id
        AND in_force.calendar = open_span.calendar
        AND in_force.asked_at = open_span.asked_at
        AND in_force.until_at = open_span.until_at
WHERE in_force.candidate_id NOT IN (SELECT missing.candidate_id FROM contact_missing AS missing)
