-- Grain: loan_id: loans with an entry that was booked after the earlier ledger had closed and counts before.
-- Rules: ARR-TRN-09. Inputs: raw__transaction, raw__loan. Parameters: $closed_then (close of the day compared with),
-- $timezone. from_on is the first business date that would have known the entry. A loan whose schedule was replaced
-- since is left out: its past cannot be told from today's schedule.
SELECT
    t.loan_id,
    MIN(t.effective_on + 1) AS from_on
FROM raw__transaction AS t
INNER JOIN raw__loan AS l ON t.loan_id = l.loan_id
WHERE
    t.effective_on <= $closed_then
    AND t.booked_at >= $closed_then::DATE::TIMESTAMPTZ
    AND (t.booked_at AT TIME ZONE $timezone)::DATE > $closed_then
    AND (l.restructured_on IS NULL OR l.restructured_on <= t.effective_on)
GROUP BY t.loan_id
