-- Pauses booked by the close; open-ended until their end is booked.
SELECT
    loan_no AS loan_id,
    starts_on,
    CASE WHEN end_booked_on <= :closing_date THEN ends_on END AS ends_on,
    reason AS reason_code
FROM core_banking.payment_pause
WHERE booked_on <= :closing_date
