-- Grain: case open on the day or closed by it.
-- Rules: ARR-CAS-01 (open or closed), ARR-CAS-03 (holds), ARR-CAS-04 (why closed), ARR-CAS-05 (states and moves).
-- Inputs: core__case_loan_daily, core__loan_delinquency_daily, raw__loan, previous__case, previous__watch,
-- previous__plan, live_promise, case_move and ending_state (both from rules/case_states.py).
-- Parameters: hold_codes (most serious first), close_reasons (least favourable first), current_bucket, currency,
-- compared_with, reopen_days, watch_days.
WITH pledge AS (
    SELECT loan_id, BOOL_OR(is_plan) AS has_plan, BOOL_OR(NOT is_plan) AS has_promise, MIN(due_on) AS due_on
    FROM live_promise
    GROUP BY loan_id
), part AS (
    SELECT
        case_loan.*,
        case_loan.state_code IN ('past_due', 'missing') AS keeps_open,
        case_loan.state_code = 'past_due' AND case_loan.hold_code IS NULL AS is_worked,
        CASE case_loan.state_code WHEN 'current' THEN 'cured' ELSE case_loan.state_code END AS ending_code,
        case_loan.state_code = 'past_due' AND loan.status_code = 'charged_off' AS is_charged_off,
        COALESCE($business_date <= agreed.restructured_on + $watch_days::INTEGER, FALSE) AS is_new_schedule,
        COALESCE(pledge.has_plan, FALSE) AS has_plan,
        COALESCE(pledge.has_promise, FALSE) AS has_promise,
        pledge.due_on
    FROM core__case_loan_daily AS case_loan
    LEFT JOIN core__loan_delinquency_daily AS loan ON case_loan.loan_id = loan.loan_id
    LEFT JOIN raw__loan AS agreed ON case_loan.loan_id = agreed.loan_id
    LEFT JOIN pledge ON case_loan.loan_id = pledge.loan_id
), case_of_day AS (
    SELECT
        case_id,
        borrower_id,
        opened_on,
        episode_on,
        BOOL_OR(is_charged_off) AS is_charged_off,
        BOOL_OR(is_worked AND is_new_schedule) AS is_new_schedule,
        BOOL_OR(is_worked AND has_plan) AS has_plan,
        BOOL_OR(is_worked AND has_promise) AS has_promise,
        MIN(due_on) FILTER (WHERE is_worked) AS promised_on,
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
    GROUP BY case_id, borrower_id, opened_on, episode_on
), planned_case AS (
    SELECT DISTINCT case_id
    FROM previous__plan
    WHERE state_code = 'planned'
), history AS (
    SELECT
        case_of_day.*,
        CASE WHEN NOT is_open THEN LIST_EXTRACT($close_reasons, close_rank) END AS close_reason_code,
        NOT is_worked AND is_open AS is_held,
        earlier.case_id IS NOT NULL AS is_carried,
        watch.case_id IS NOT NULL AND $business_date <= watch.watch_until_on AS is_after_cure,
        CASE
            WHEN earlier.case_id IS NOT NULL THEN earlier.episodes
            WHEN watch.case_id = case_of_day.case_id THEN watch.episodes + 1
            ELSE 1
        END AS episodes,
        CASE
            WHEN earlier.case_id IS NOT NULL THEN earlier.state_code
            WHEN watch.case_id = case_of_day.case_id THEN closed.state_code
            ELSE ''
        END AS from_state_code,
        earlier.state_since_on,
        COALESCE(
            earlier.first_treated_on,
            CASE WHEN planned_case.case_id IS NOT NULL THEN $compared_with::DATE END
        ) AS first_treated_on,
        COALESCE(earlier.steps_planned, 0) + (planned_case.case_id IS NOT NULL)::INTEGER AS steps_planned
    FROM case_of_day
    LEFT JOIN previous__case AS earlier ON case_of_day.case_id = earlier.case_id AND earlier.closed_on IS NULL
    LEFT JOIN previous__watch AS watch ON case_of_day.borrower_id = watch.borrower_id
    LEFT JOIN ending_state AS closed ON watch.close_reason_code = closed.close_reason_code
    LEFT JOIN planned_case ON earlier.case_id = planned_case.case_id
), standing AS (
    SELECT
        history.*,
        CASE
            WHEN NOT history.is_open THEN ending_state.state_code
            WHEN history.is_held THEN 'hold'
            WHEN history.has_plan THEN 'plan'
            WHEN history.has_promise THEN 'promised'
            WHEN history.first_treated_on IS NOT NULL THEN 'in_treatment'
            ELSE 'open'
        END AS state_code
    FROM history
    LEFT JOIN ending_state ON history.close_reason_code = ending_state.close_reason_code
)
SELECT
    standing.case_id::VARCHAR AS case_id,
    standing.borrower_id::VARCHAR AS borrower_id,
    standing.opened_on::DATE AS opened_on,
    CASE WHEN NOT standing.is_open THEN $business_date END::DATE AS closed_on,
    DATE_DIFF('day', standing.opened_on, $business_date::DATE)::INTEGER AS case_age_days,
    CASE
        WHEN NOT standing.is_open THEN 'closed'
        WHEN standing.is_carried THEN 'carried'
        WHEN standing.episodes = 1 THEN 'opened'
        ELSE 'reopened'
    END::VARCHAR AS event_code,
    standing.close_reason_code::VARCHAR AS close_reason_code,
    $currency::VARCHAR AS currency,
    standing.past_due_loans::BIGINT AS past_due_loans,
    standing.past_due_minor::BIGINT AS past_due_minor,
    standing.past_due_days::INTEGER AS past_due_days,
    standing.delinquent_days::INTEGER AS delinquent_days,
    standing.bucket::VARCHAR AS bucket,
    standing.missing_loans::BIGINT AS missing_loans,
    CASE WHEN NOT standing.is_worked THEN LIST_EXTRACT($hold_codes, standing.hold_rank) END::VARCHAR AS hold_code,
    standing.worked_minor::BIGINT AS worked_minor,
    standing.worked_delinquent_days::INTEGER AS worked_delinquent_days,
    standing.worked_bucket::VARCHAR AS worked_bucket,
    standing.episode_on::DATE AS episode_on,
    standing.episodes::BIGINT AS episodes,
    standing.state_code::VARCHAR AS state_code,
    case_move.event_code::VARCHAR AS move_code,
    CASE WHEN standing.is_charged_off THEN 'recovery' ELSE 'collection' END::VARCHAR AS stage_code,
    standing.first_treated_on::DATE AS first_treated_on,
    standing.steps_planned::BIGINT AS steps_planned,
    CASE WHEN standing.state_code IN ('promised', 'plan') THEN standing.promised_on END::DATE AS promised_on,
    (standing.is_open AND (standing.is_new_schedule OR standing.is_after_cure))::BOOLEAN AS is_watched,
    CASE
        WHEN standing.from_state_code = standing.state_code THEN standing.state_since_on
        ELSE $business_date
    END::DATE AS state_since_on
FROM standing
LEFT JOIN case_move
    ON standing.from_state_code = case_move.from_state_code AND standing.state_code = case_move.to_state_code
