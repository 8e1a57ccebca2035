-- Grain: experiment and person who has entered it: today, or on a day before. The arm is kept; what happened is added.
-- Rules: ARR-EXP-01. Inputs: arm_entered, previous__arm, previous__plan, core__case_daily, raw__party, raw__flag.
-- Parameters: day_start, day_end.
WITH person_of AS (
    SELECT
        case_of_day.case_id,
        case_of_day.close_reason_code,
        COALESCE(party.person_id, case_of_day.borrower_id) AS person_id
    FROM core__case_daily AS case_of_day
    LEFT JOIN raw__party AS party ON case_of_day.borrower_id = party.party_id
), cured AS (
    SELECT DISTINCT person_id
    FROM person_of
    WHERE close_reason_code = 'cured'
), contacted AS (
    SELECT COALESCE(person_id, borrower_id) AS person_id, COUNT(*) AS contacts
    FROM previous__plan
    WHERE state_code = 'planned'
    GROUP BY COALESCE(person_id, borrower_id)
), flagged AS (
    SELECT
        COALESCE(party.person_id, flag.party_id) AS person_id,
        COUNT(*) FILTER (WHERE flag.flag_code = 'complaint') AS complaints,
        COUNT(*) FILTER (WHERE flag.flag_code = 'opt_out') AS opt_outs
    FROM raw__flag AS flag
    LEFT JOIN raw__party AS party ON flag.party_id = party.party_id
    -- What begins within a day is known on the next: each event falls into one day, whenever it is told.
    WHERE flag.starts_at >= $day_start::TIMESTAMPTZ - TO_DAYS(1) AND flag.starts_at < $day_start
    GROUP BY COALESCE(party.person_id, flag.party_id)
), entered AS (
    SELECT experiment_id, person_id, arm_code, entered_on, contacts, is_cured, complaints, opt_outs
    FROM previous__arm
    UNION ALL
    SELECT
        entering.experiment_id,
        entering.person_id,
        entering.arm_code,
        $business_date::DATE AS entered_on,
        0 AS contacts,
        FALSE AS is_cured,
        0 AS complaints,
        0 AS opt_outs
    FROM arm_entered AS entering
    ANTI JOIN previous__arm AS earlier
        ON entering.experiment_id = earlier.experiment_id AND entering.person_id = earlier.person_id
)
SELECT
    entered.experiment_id::VARCHAR AS experiment_id,
    entered.person_id::VARCHAR AS person_id,
    entered.arm_code::VARCHAR AS arm_code,
    entered.entered_on::DATE AS entered_on,
    (
        entered.contacts + CASE WHEN entered.entered_on < $business_date THEN COALESCE(contacted.contacts, 0) ELSE 0 END
    )::BIGINT AS contacts,
    (entered.is_cured OR (entered.entered_on < $business_date AND cured.person_id IS NOT NULL))::BOOLEAN AS is_cured,
    (
        entered.complaints
        + CASE WHEN entered.entered_on < $business_date THEN COALESCE(flagged.complaints, 0) ELSE 0 END
    )::BIGINT AS complaints,
    (
        entered.opt_outs + CASE WHEN entered.entered_on < $business_date THEN COALESCE(flagged.opt_outs, 0) ELSE 0 END
    )::BIGINT AS opt_outs
FROM entered
LEFT JOIN cured ON entered.person_id = cured.person_id
LEFT JOIN contacted ON entered.person_id = contacted.person_id
LEFT JOIN flagged ON entered.person_id = flagged.person_id
