-- What was reported from outside, by kind: complaints, opt-outs, disputes and hardship requests measure pressure.
-- Grain: one row per portfolio, UTC date of arrival, source and kind.
-- Of: ops.feedback_event
-- received_on: UTC date on which it was known here
-- reports: Reports, each revision once
-- people: People they are about
SELECT
    portfolio,
    (received_at AT TIME ZONE 'UTC')::DATE AS received_on,
    source_code,
    kind_code,
    COUNT(*) AS reports,
    COUNT(DISTINCT COALESCE(person_id, party_id)) AS people
FROM ops.feedback_event
GROUP BY portfolio, (received_at AT TIME ZONE 'UTC')::DATE, source_code, kind_code
