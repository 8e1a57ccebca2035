-- Whether the books are closed for the closing date.
SELECT EXISTS(
    SELECT 1 FROM core_banking.daily_close
    WHERE closing_on = :closing_date
) AS is_ready
