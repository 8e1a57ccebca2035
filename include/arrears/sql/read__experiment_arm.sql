-- Grain: experiment and arm that anybody has entered. Inputs: core__experiment_arm_daily.
SELECT
    experiment_id,
    arm_code,
    COUNT(*)::BIGINT AS people,
    COUNT(*) FILTER (WHERE is_cured)::BIGINT AS cured_people,
    COALESCE(SUM(contacts), 0)::BIGINT AS contacts,
    COALESCE(SUM(complaints), 0)::BIGINT AS complaints,
    COALESCE(SUM(opt_outs), 0)::BIGINT AS opt_outs
FROM core__experiment_arm_daily
GROUP BY experiment_id, arm_code
