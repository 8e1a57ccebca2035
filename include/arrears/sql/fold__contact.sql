-- Grain: contact that the ledger delivers, or that was reported by the time the day was cut and is not in the ledger;
-- a reference that two sources use is named by its source.
-- Inputs: ledger__contact, feedback_contact. Parameters: portfolio, business_date.
SELECT
    portfolio,
    business_date,
    contact_id,
    party_id,
    contact_point_id,
    channel_code,
    direction_code,
    purpose_code,
    started_at,
    outcome_code,
    source_file,
    source_line
FROM ledger__contact
UNION ALL
SELECT
    $portfolio::VARCHAR AS portfolio,
    $business_date::DATE AS business_date,
    CASE
        WHEN COUNT(*) OVER (PARTITION BY source_ref) > 1 THEN source_code || ':' || source_ref
        ELSE source_ref
    END AS contact_id,
    party_id,
    contact_point_id,
    channel_code,
    direction_code,
    purpose_code,
    started_at,
    outcome_code,
    NULL AS source_file,
    NULL AS source_line
FROM feedback_contact
WHERE source_ref NOT IN (SELECT contact_id FROM ledger__contact) AND party_id IS NOT NULL
