-- Flags set by the close; they last until their end is known.
SELECT
    flag_no AS flag_id,
    flag AS flag_code,
    customer_no AS party_id,
    loan_no AS loan_id,
    point_no AS contact_point_id,
    starts_at,
    CASE WHEN end_known_on <= :closing_date THEN ends_at END AS ends_at
FROM core_banking.account_flag
WHERE known_on <= :closing_date
