-- Grain: usable contact point of a person who is due a step, numbered in the order of preference (contact_reach).
-- Rules: ARR-CON-07 (order). Inputs: due_person (person_id, party_id), raw__contact_point. Parameters: day_end.
SELECT
    due_person.person_id,
    reached.party_id,
    reached.contact_point_id,
    reached.kind_code,
    reached.place_code,
    reached.timezone,
    ROW_NUMBER() OVER (
        PARTITION BY due_person.person_id
        ORDER BY
            LIST_POSITION(['personal', 'mobile', 'home', 'other', 'workplace'], reached.place_code) ASC,
            reached.verified_at DESC NULLS LAST,
            reached.contact_point_id ASC
    ) AS preference
FROM due_person
INNER JOIN raw__contact_point AS reached ON due_person.party_id = reached.party_id
WHERE reached.invalid_from IS NULL OR reached.invalid_from >= $day_end
