-- What was planned on each published date, for the comparison of a new plan with its history.
-- Grain: one row per portfolio, business date and channel with a planned contact; one with channel '' where none is.
-- Of: mart.fct_summary_daily
-- channel_code: Channel; empty: nothing is planned
-- planned: Contacts planned on the channel
-- blocked: Cases with a step due and no channel
-- strategy: Strategy and version; empty when nothing was planned
-- packs: Contact packs, each with its version; empty when nothing was asked
SELECT
    figure.portfolio,
    figure.business_date,
    COALESCE(plan.channel_code, '') AS channel_code,
    COUNT(plan.step_key) AS planned,
    figure.contacts_blocked AS blocked,
    figure.past_due_loans,
    COALESCE(
        (
            SELECT MAX(used.strategy)
            FROM mart.fct_contact_plan_daily AS used
            WHERE used.portfolio = figure.portfolio AND used.business_date = figure.business_date
        ),
        ''
    ) AS strategy,
    COALESCE(
        (
            SELECT MAX(asked.packs)
            FROM mart.fct_contact_decision AS asked
            WHERE asked.portfolio = figure.portfolio AND asked.business_date = figure.business_date
        ),
        ''
    ) AS packs
FROM mart.fct_summary_daily AS figure
LEFT JOIN mart.fct_contact_plan_daily AS plan
    ON
        figure.portfolio = plan.portfolio
        AND figure.business_date = plan.business_date
        AND plan.state_code = 'planned'
GROUP BY
    figure.portfolio,
    figure.business_date,
    plan.channel_code,
    figure.contacts_blocked,
    figure.past_due_loans
