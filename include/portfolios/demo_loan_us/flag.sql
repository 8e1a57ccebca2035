-- Flags set by the close; they last until their end is known.
SELECT
    flag_id,
    flag_code,
    party_id,
    loan_id,
    contact_point_id,
    starts_at,
    ends_at,
    source_file,
    source_line
FROM flag
