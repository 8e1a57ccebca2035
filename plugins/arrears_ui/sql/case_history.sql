-- A case day by day: where it stood, and why.
-- Grain: one row per business date, newest first, at most 120.
SELECT
    one_case.business_date,
    one_case.event_code,
    one_case.past_due_loans,
    one_case.currency,
    one_case.past_due_minor,
    one_case.bucket,
    one_case.hold_code,
    given.queue_id,
    given.agent_id,
    given.reason
FROM bi.case_daily AS one_case
LEFT JOIN bi.assignment_daily AS given
    ON
        one_case.portfolio = given.portfolio
        AND one_case.business_date = given.business_date
        AND one_case.case_id = given.case_id
WHERE
    one_case.portfolio = $portfolio
    AND one_case.case_id = $case_id
    AND one_case.business_date <= $business_date
ORDER BY one_case.business_date DESC
LIMIT 120
