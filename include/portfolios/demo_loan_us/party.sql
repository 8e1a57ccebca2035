-- Parties known by the close.
SELECT
    party_id,
    person_id,
    is_minor,
    language,
    source_file,
    source_line
FROM party
