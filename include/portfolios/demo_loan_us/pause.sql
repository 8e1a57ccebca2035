-- Pauses booked by the close; open-ended until their end is booked.
SELECT
    loan_id,
    starts_on,
    ends_on,
    reason_code,
    source_file,
    source_line
FROM pause
