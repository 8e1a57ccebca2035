-- Grain: flag that the ledger delivers, or that was reported by the time the day was cut; a payment under way is one.
-- Inputs: ledger__flag, feedback_flag, feedback_payment. Parameters: portfolio, business_date.
SELECT
    portfolio,
    business_date,
    flag_id,
    flag_code,
    party_id,
    loan_id,
    contact_point_id,
    starts_at,
    ends_at,
    source_file,
    source_line
FROM ledger__flag
UNION ALL
SELECT
    $portfolio::VARCHAR AS portfolio,
    $business_date::DATE AS business_date,
    event_id AS flag_id,
    flag_code,
    party_id,
    loan_id,
    contact_point_id,
    starts_at,
    ends_at,
    NULL AS source_file,
    NULL AS source_line
FROM feedback_flag
UNION ALL
SELECT
    $portfolio::VARCHAR AS portfolio,
    $business_date::DATE AS business_date,
    event_id AS flag_id,
    'payment_under_way' AS flag_code,
    NULL AS party_id,
    loan_id,
    NULL AS contact_point_id,
    initiated_at AS starts_at,
    valid_until_at AS ends_at,
    NULL AS source_file,
    NULL AS source_line
FROM feedback_payment
WHERE state_code IN ('initiated', 'pending')
