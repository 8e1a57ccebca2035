-- Grain: agent on shift on the day, there and licensed. Inputs: raw__agent_shift. Parameters: business_date, portfolio.
SELECT agent_id, queue_ids, languages, productive_minutes, team_id
FROM raw__agent_shift
WHERE
    shift_on = $business_date
    AND absence_code IS NULL
    AND (
        portfolios IS NULL
        OR LIST_CONTAINS(LIST_TRANSFORM(STRING_SPLIT(portfolios, ','), LAMBDA name: TRIM(name)), $portfolio)
    )
