-- Grain: case open on the day or closed by it.
-- Rules: ARR-CAS-01 (open or closed), ARR-CAS-03 (holds), ARR-CAS-04 (why closed). Inputs: core__case_loan_daily.
-- Parameters: hold_codes (most serious first), close_reasons (least favourable first), current_bucket, currency.
WITH part AS (
    SELECT
        *,
        state_code IN ('past_due', 'missing') AS keeps_open,
        state_code = 'past_due' AND hold_code IS NULL AS is_worked,
        CASE state_code WHEN 'current' THEN 'cured' ELSE state_code END AS ending_code
    FROM core__case_loan_daily
), case_of_day AS (
    SELECT
        case_id,
        borrower_id,
        opened_on,
        BOOL_OR(keeps_open) AS is_open,
        BOOL_OR(is_worked) AS is_worked,
        MIN(LIST_POSITION($close_reasons, ending_code)) FILTER (WHERE NOT keeps_open) AS close_rank,
        MIN(LIST_POSITION($hold_codes, hold_code)) FILTER (WHERE hold_code IS NOT NULL) AS hold_rank,
        COUNT(*) FILTER (WHERE state_code = 'past_due') AS past_due_loans,
        COUNT(*) FILTER (WHERE state_code = 'missing') AS missing_loans,
        SUM(past_due_minor) AS past_due_minor,
        MAX(past_due_days) AS past_due_days,
        MAX(delinquent_days) AS delinquent_days,
        ARG_MAX(bucket, delinquent_days) AS bucket,
        COALESCE(SUM(past_due_minor) FILTER (WHERE is_worked), 0) AS worked_minor,
        COALESCE(MAX(delinquent_days) FILTER (WHERE is_worked), 0) AS worked_delinquent_days,
        COALESCE(ARG_MAX(bucket, delinquent_days) FILTER (WHERE is_worked), $current_bucket) AS worked_bucket
    FROM part
    GROUP BY case_id, borrower_id, opened_on
)
SELECT
    case_id::VARCHAR AS case_id,
    borrower_id::VARCHAR AS borrower_id,
    opened_on::DATE AS opened_on,
    CASE WHEN NOT is_open THEN $business_date END::DATE AS closed_on,
    DATE_DIFF('day', opened_on, $business_date::DATE)::INTEGER AS case_age_days,
    CASE
        WHEN NOT is_open THEN 'closed'
        WHEN opened_on = $business_date THEN 'opened'
        ELSE 'carried'
    END::VARCHAR AS event_code,
    CASE WHEN NOT is_open THEN LIST_EXTRACT($close_reasons, close_rank) END::VARCHAR AS close_reason_code,
    $currency::VARCHAR AS currency,
    past_due_loans::BIGINT AS past_due_loans,
    past_due_minor::BIGINT AS past_due_minor,
    past_due_days::INTEGER AS past_due_days,
    delinquent_days::INTEGER AS delinquent_days,
    bucket::VARCHAR AS bucket,
    missing_loans::BIGINT AS missing_loans,
    CASE WHEN NOT is_worked THEN LIST_EXTRACT($hold_codes, hold_rank) END::VARCHAR AS hold_code,
    worked_minor::BIGINT AS worked_minor,
    worked_delinquent_days::INTEGER AS worked_delinquent_days,
    worked_bucket::VARCHAR AS worked_bucket
FROM case_of_day
