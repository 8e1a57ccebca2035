-- Grain: open case. What a strategy may know of it besides bucket, amount and product.
-- Rules: ARR-STR-02 (behaviour), ARR-STR-03 (risk band), ARR-STR-04 (contactability), ARR-STR-06 (promise). Twin of
-- rules/traits.py. Inputs: core__case_daily, core__case_loan_daily, core__instalment_delinquency_daily,
-- core__bucket_history_daily, core__loan_delinquency_daily, core__promise_daily, raw__party, raw__contact_point,
-- raw__contact, raw__flag, raw__score. Parameters: business_date, current_bucket, day_start, day_end, vulnerable_flags,
-- spell_days, reached_days, broken_days, habitual_spells, low_risk_days, high_risk_days.
WITH open_case AS (
    SELECT case_id, borrower_id, is_watched, past_due_days, episode_on
    FROM core__case_daily
    WHERE closed_on IS NULL
), first_unpaid AS (
    SELECT DISTINCT part.case_id
    FROM core__case_loan_daily AS part
    INNER JOIN core__instalment_delinquency_daily AS instalment ON part.loan_id = instalment.loan_id
    WHERE part.state_code = 'past_due' AND part.hold_code IS NULL AND instalment.seq = 1
), stay AS (
    SELECT
        loan_id,
        bucket,
        valid_from,
        valid_to,
        LEAD(bucket) OVER (PARTITION BY loan_id ORDER BY valid_from) AS next_bucket
    FROM core__bucket_history_daily
    WHERE seq = 0 AND known_to IS NULL
), spell AS (
    SELECT loan.borrower_id, COUNT(*) AS spells
    FROM stay
    INNER JOIN core__loan_delinquency_daily AS loan ON stay.loan_id = loan.loan_id
    WHERE
        stay.bucket <> $current_bucket
        AND COALESCE(stay.next_bucket, $current_bucket) = $current_bucket
        AND stay.valid_to IS NOT NULL
        AND stay.valid_to > $business_date - $spell_days::INTEGER
    GROUP BY loan.borrower_id
), party_of_person AS (
    SELECT open_case.case_id, COALESCE(other.party_id, open_case.borrower_id) AS party_id
    FROM open_case
    LEFT JOIN raw__party AS party ON open_case.borrower_id = party.party_id
    LEFT JOIN raw__party AS other ON party.person_id = other.person_id
), reachable AS (
    SELECT DISTINCT of_person.case_id
    FROM party_of_person AS of_person
    INNER JOIN raw__contact_point AS reach ON of_person.party_id = reach.party_id
    WHERE reach.invalid_from IS NULL OR reach.invalid_from >= $day_end
), reached AS (
    SELECT DISTINCT of_person.case_id
    FROM party_of_person AS of_person
    INNER JOIN raw__contact AS made ON of_person.party_id = made.party_id
    WHERE
        (made.outcome_code = 'conversation' OR made.direction_code = 'in')
        AND made.started_at >= $day_start::TIMESTAMPTZ - TO_DAYS($reached_days::INTEGER)
), vulnerable AS (
    SELECT DISTINCT of_person.case_id
    FROM party_of_person AS of_person
    INNER JOIN raw__flag AS flag ON of_person.party_id = flag.party_id
    WHERE
        LIST_CONTAINS($vulnerable_flags, flag.flag_code)
        AND flag.starts_at < $day_end AND (flag.ends_at IS NULL OR flag.ends_at > $day_start)
), broken AS (
    SELECT DISTINCT borrower_id
    FROM core__promise_daily
    WHERE state_code IN ('broken', 'part_kept') AND since_on > $business_date - $broken_days::INTEGER
), score AS (
    SELECT party_id, ARG_MAX(band_code, (scored_at, model_code)) AS band_code
    FROM raw__score
    WHERE expires_on IS NULL OR expires_on >= $business_date
    GROUP BY party_id
), trait AS (
    SELECT
        open_case.case_id,
        open_case.past_due_days,
        COALESCE(spell.spells, 0) AS earlier_spells,
        reachable.case_id IS NOT NULL AS has_point,
        reached.case_id IS NOT NULL AS is_reached,
        vulnerable.case_id IS NOT NULL AS is_vulnerable,
        broken.borrower_id IS NOT NULL AS is_promise_broken,
        score.band_code AS score_band,
        CASE
            WHEN open_case.is_watched THEN 'cured_and_back'
            WHEN first_unpaid.case_id IS NOT NULL THEN 'first_payment_default'
            WHEN COALESCE(spell.spells, 0) >= $habitual_spells THEN 'habitual_late'
            WHEN COALESCE(spell.spells, 0) = 0 THEN 'new'
            ELSE 'regular'
        END AS behaviour_code
    FROM open_case
    LEFT JOIN first_unpaid ON open_case.case_id = first_unpaid.case_id
    LEFT JOIN spell ON open_case.borrower_id = spell.borrower_id
    LEFT JOIN reachable ON open_case.case_id = reachable.case_id
    LEFT JOIN reached ON open_case.case_id = reached.case_id
    LEFT JOIN vulnerable ON open_case.case_id = vulnerable.case_id
    LEFT JOIN broken ON open_case.borrower_id = broken.borrower_id
    LEFT JOIN score ON open_case.borrower_id = score.party_id
)
SELECT
    case_id::VARCHAR AS case_id,
    behaviour_code::VARCHAR AS behaviour_code,
    CASE WHEN is_promise_broken THEN 'recently_broken' ELSE 'none' END::VARCHAR AS promise_code,
    CASE
        WHEN score_band IN ('low', 'medium', 'high') THEN score_band
        WHEN past_due_days >= $high_risk_days OR behaviour_code = 'first_payment_default' THEN 'high'
        WHEN past_due_days <= $low_risk_days AND behaviour_code IN ('new', 'regular', 'habitual_late') THEN 'low'
        ELSE 'medium'
    END::VARCHAR AS risk_band_code,
    CASE WHEN is_reached THEN 'reached' WHEN has_point THEN 'unreached' ELSE 'no_point' END::VARCHAR
        AS contactability_code,
    is_vulnerable::BOOLEAN AS is_vulnerable,
    earlier_spells::BIGINT AS earlier_spells
FROM trait
