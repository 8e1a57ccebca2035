-- Grain: channel with a planned contact, and one row with channel '' for the day: what the day's plan is.
-- Rules: ARR-APR-01. Inputs: out__contact_plan_daily, core__contact_decision_daily, out__summary_daily.
WITH version AS (
    SELECT
        (SELECT MAX(strategy) FROM out__contact_plan_daily) AS strategy,
        (SELECT MAX(packs) FROM core__contact_decision_daily) AS packs
), channel AS (
    SELECT channel_code, COUNT(*) AS planned
    FROM out__contact_plan_daily
    WHERE state_code = 'planned'
    GROUP BY channel_code
    UNION ALL
    SELECT '' AS channel_code, 0 AS planned
)
SELECT
    channel.channel_code::VARCHAR AS channel_code,
    channel.planned::BIGINT AS planned,
    figure.contacts_blocked::BIGINT AS blocked,
    figure.past_due_loans::BIGINT AS past_due_loans,
    COALESCE(version.strategy, '')::VARCHAR AS strategy,
    COALESCE(version.packs, '')::VARCHAR AS packs
FROM channel
CROSS JOIN out__summary_daily AS figure
CROSS JOIN version
