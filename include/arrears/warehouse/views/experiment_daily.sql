-- Arms of the running experiments: sizes, outcomes since entering, guard rails. `arrears strategy experiments` says
-- what the difference is worth.
-- Grain: one row per portfolio, business date, experiment and arm. Outcomes are since entering: never sum over dates.
-- Of: mart.fct_experiment_daily
SELECT
    portfolio,
    business_date,
    experiment_id,
    arm_code,
    share_pct,
    people,
    cured_people,
    contacts,
    complaints,
    opt_outs,
    mismatch_ppm,
    breached,
    stopped_on
FROM mart.fct_experiment_daily
