-- Grain: contact point of the ledger, wrong since somebody reported so.
-- Inputs: ledger__contact_point, feedback_flag.
WITH wrong AS (
    SELECT
        contact_point_id,
        MIN(starts_at) AS wrong_from
    FROM feedback_flag
    WHERE flag_code = 'wrong_number'
    GROUP BY contact_point_id
)
SELECT
    known.portfolio,
    known.business_date,
    known.contact_point_id,
    known.party_id,
    known.kind_code,
    known.timezone,
    known.place_code,
    known.verified_at,
    LEAST(known.invalid_from, wrong.wrong_from) AS invalid_from,
    known.source_file,
    known.source_line
FROM ledger__contact_point AS known
LEFT JOIN wrong ON known.contact_point_id = wrong.contact_point_id
