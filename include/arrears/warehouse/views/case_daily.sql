-- Collection cases, open on the day or closed by it. Borrowers are left out; the case id is a hash.
-- Grain: one row per portfolio, business date and case. Sum amounts over cases of one date, never over dates.
-- Of: mart.fct_case_daily
SELECT
    portfolio,
    business_date,
    case_id,
    opened_on,
    closed_on,
    case_age_days,
    event_code,
    close_reason_code,
    currency,
    past_due_loans,
    past_due_minor,
    past_due_days,
    delinquent_days,
    bucket,
    missing_loans,
    hold_code,
    worked_minor,
    worked_delinquent_days,
    worked_bucket,
    episode_on,
    episodes,
    state_code,
    move_code,
    stage_code,
    first_treated_on,
    steps_planned,
    promised_on,
    is_watched,
    state_since_on
FROM mart.fct_case_daily
