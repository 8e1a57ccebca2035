-- People whose life may be at risk and whom no supervisor has taken over: every automatic step for them has stopped.
-- What was reported counts at once, the ledger's word once its day is published. An override take_over ends the call.
-- Grain: one row per portfolio and party.
-- Of: ops.feedback_event
-- since_at: When the risk was first known
WITH risk AS (
    SELECT
        portfolio,
        party_id,
        person_id,
        occurred_at AS since_at
    FROM ops.feedback
    WHERE
        kind_code = 'flag' AND detail ->> 'flag_code' = 'self_harm_risk'
        AND COALESCE((detail ->> 'ends_at')::TIMESTAMPTZ, 'infinity') > NOW()
    UNION ALL
    SELECT
        assigned.portfolio,
        standing.borrower_id AS party_id,
        NULL AS person_id,
        newest.published_at AS since_at
    FROM (
        SELECT DISTINCT ON (portfolio)
            portfolio,
            business_date,
            published_at
        FROM ops.publish_ledger
        ORDER BY portfolio ASC, business_date DESC, published_at ASC
    ) AS newest
    INNER JOIN mart.fct_assignment_daily AS assigned
        ON newest.portfolio = assigned.portfolio AND newest.business_date = assigned.business_date
    INNER JOIN mart.fct_case_daily AS standing
        ON
            assigned.portfolio = standing.portfolio AND assigned.business_date = standing.business_date
            AND assigned.case_id = standing.case_id
    WHERE assigned.reason_code = 'supervisor'
)
SELECT
    risk.portfolio,
    risk.party_id,
    MAX(risk.person_id) AS person_id,
    MIN(risk.since_at) AS since_at
FROM risk
WHERE
    NOT EXISTS (
        SELECT 1
        FROM ops.feedback AS override
        WHERE
            override.kind_code = 'override' AND override.detail ->> 'action_code' = 'take_over'
            AND COALESCE((override.detail ->> 'ends_at')::TIMESTAMPTZ, 'infinity') > NOW()
            AND (
                (override.portfolio = risk.portfolio AND override.party_id = risk.party_id)
                OR override.person_id = risk.person_id
            )
    )
GROUP BY risk.portfolio, risk.party_id
