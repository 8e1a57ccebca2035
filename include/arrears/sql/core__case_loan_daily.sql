-- Grain: case open on the day or closed by it x loan that was past due while it was open.
-- Rules: ARR-CAS-01 (who has a case), ARR-CAS-02 (loan state), ARR-CAS-03 (holds), ARR-CAS-06 (cure in cash).
-- Inputs: core__loan_delinquency_daily, core__source_difference_daily, previous__case, previous__case_loan,
-- previous__watch, raw__loan, raw__transaction, raw__party, raw__flag, raw__pause.
-- Parameters: portfolio, hold_codes (most serious first), current_bucket, day_start and day_end (instants),
-- reopen_days, is_cash_known.
WITH open_case AS (
    SELECT case_id, borrower_id, opened_on, episode_on
    FROM previous__case
    WHERE closed_on IS NULL
), past_due_loan AS (
    SELECT loan_id, borrower_id, delinquent_days
    FROM core__loan_delinquency_daily
    WHERE is_open AND past_due_days > 0
), new_case AS (
    SELECT DISTINCT loan.borrower_id
    FROM past_due_loan AS loan
    LEFT JOIN open_case ON loan.borrower_id = open_case.borrower_id
    WHERE loan.delinquent_days > 0 AND open_case.case_id IS NULL
), case_of_day AS (
    SELECT case_id, borrower_id, opened_on, episode_on
    FROM open_case
    UNION ALL
    SELECT
        COALESCE(
            again.case_id,
            'C-' || SUBSTRING(
                SHA256($portfolio || '|' || new_case.borrower_id || '|' || $business_date::DATE::VARCHAR), 1, 16
            )
        ) AS case_id,
        new_case.borrower_id,
        COALESCE(again.opened_on, $business_date::DATE) AS opened_on,
        $business_date::DATE AS episode_on
    FROM new_case
    LEFT JOIN previous__watch AS again
        ON
            new_case.borrower_id = again.borrower_id
            AND $business_date <= again.closed_on + $reopen_days::INTEGER
), case_loan AS (
    SELECT open_case.case_id, earlier.loan_id
    FROM open_case
    INNER JOIN previous__case_loan AS earlier ON open_case.case_id = earlier.case_id
    UNION
    SELECT case_of_day.case_id, loan.loan_id
    FROM case_of_day
    INNER JOIN past_due_loan AS loan ON case_of_day.borrower_id = loan.borrower_id
), part AS (
    SELECT
        case_of_day.case_id,
        case_of_day.borrower_id,
        case_of_day.opened_on,
        case_of_day.episode_on,
        case_loan.loan_id,
        CASE
            WHEN loan.loan_id IS NULL THEN 'missing'
            WHEN loan.borrower_id <> case_of_day.borrower_id THEN 'transferred'
            WHEN NOT loan.is_open THEN loan.status_code
            WHEN loan.past_due_days > 0 THEN 'past_due'
            ELSE 'current'
        END AS state_code,
        loan.past_due_days,
        loan.delinquent_days,
        loan.past_due_minor,
        loan.bucket,
        GREATEST(
            COALESCE(earlier.peak_core_minor, 0),
            CASE
                WHEN loan.borrower_id = case_of_day.borrower_id AND loan.is_open AND loan.past_due_days > 0
                    THEN loan.past_due_principal_minor + loan.past_due_interest_minor
                ELSE 0
            END
        ) AS peak_core_minor,
        COALESCE(agreed.restructured_on >= case_of_day.episode_on, FALSE) AS is_rescheduled
    FROM case_loan
    INNER JOIN case_of_day ON case_loan.case_id = case_of_day.case_id
    LEFT JOIN core__loan_delinquency_daily AS loan ON case_loan.loan_id = loan.loan_id
    LEFT JOIN raw__loan AS agreed ON case_loan.loan_id = agreed.loan_id
    LEFT JOIN open_case ON case_loan.case_id = open_case.case_id
    LEFT JOIN previous__case_loan AS earlier
        ON open_case.case_id = earlier.case_id AND case_loan.loan_id = earlier.loan_id
), cash AS (
    SELECT
        part.case_id,
        part.loan_id,
        SUM(
            CASE
                WHEN entry.kind_code = 'repayment' OR undone.kind_code = 'chargeback' THEN entry.amount_minor
                WHEN entry.kind_code = 'chargeback' OR undone.kind_code = 'repayment' THEN -entry.amount_minor
                ELSE 0
            END
        ) AS cash_minor
    FROM part
    INNER JOIN raw__transaction AS entry
        ON part.loan_id = entry.loan_id AND GREATEST(entry.effective_on, entry.booked_at::DATE) >= part.episode_on
    LEFT JOIN raw__transaction AS undone ON entry.reverses_id = undone.transaction_id
    GROUP BY part.case_id, part.loan_id
), flag_of_day AS (
    SELECT flag_code, party_id, loan_id
    FROM raw__flag
    WHERE starts_at < $day_end AND (ends_at IS NULL OR ends_at > $day_start)
), person_hold AS (
    SELECT COALESCE(party.person_id, flag_of_day.party_id) AS person_id, flag_of_day.flag_code AS hold_code
    FROM flag_of_day
    LEFT JOIN raw__party AS party ON flag_of_day.party_id = party.party_id
    WHERE flag_of_day.party_id IS NOT NULL
    UNION ALL
    SELECT person_id, 'minor' AS hold_code
    FROM raw__party
    WHERE is_minor
), hold AS (
    SELECT part.case_id, part.loan_id, person_hold.hold_code
    FROM part
    LEFT JOIN raw__party AS party ON part.borrower_id = party.party_id
    INNER JOIN person_hold ON COALESCE(party.person_id, part.borrower_id) = person_hold.person_id
    UNION ALL
    SELECT part.case_id, part.loan_id, flag_of_day.flag_code AS hold_code
    FROM part
    INNER JOIN flag_of_day ON part.loan_id = flag_of_day.loan_id
    UNION ALL
    SELECT part.case_id, part.loan_id, 'paused' AS hold_code
    FROM part
    INNER JOIN raw__pause AS pause ON part.loan_id = pause.loan_id
    WHERE pause.starts_on <= $business_date AND (pause.ends_on IS NULL OR pause.ends_on > $business_date)
    UNION ALL
    SELECT part.case_id, part.loan_id, 'source_difference' AS hold_code
    FROM part
    INNER JOIN core__source_difference_daily AS differs ON part.loan_id = differs.loan_id
    UNION ALL
    SELECT case_id, loan_id, CASE state_code WHEN 'missing' THEN 'missing' ELSE 'not_delinquent' END AS hold_code
    FROM part
    WHERE state_code = 'missing' OR delinquent_days = 0
), first_hold AS (
    SELECT case_id, loan_id, MIN(LIST_POSITION($hold_codes, hold_code)) AS hold_rank
    FROM hold
    WHERE LIST_CONTAINS($hold_codes, hold_code)
    GROUP BY case_id, loan_id
)
SELECT
    part.case_id::VARCHAR AS case_id,
    part.loan_id::VARCHAR AS loan_id,
    part.borrower_id::VARCHAR AS borrower_id,
    part.opened_on::DATE AS opened_on,
    part.episode_on::DATE AS episode_on,
    CASE
        WHEN part.state_code <> 'current' THEN part.state_code
        WHEN part.is_rescheduled THEN 'relieved'
        WHEN $is_cash_known AND COALESCE(cash.cash_minor, 0) < part.peak_core_minor THEN 'relieved'
        ELSE 'current'
    END::VARCHAR AS state_code,
    CASE
        WHEN part.state_code IN ('past_due', 'missing') THEN LIST_EXTRACT($hold_codes, first_hold.hold_rank)
    END::VARCHAR AS hold_code,
    CASE part.state_code WHEN 'past_due' THEN part.past_due_days ELSE 0 END::INTEGER AS past_due_days,
    CASE part.state_code WHEN 'past_due' THEN part.delinquent_days ELSE 0 END::INTEGER AS delinquent_days,
    CASE part.state_code WHEN 'past_due' THEN part.past_due_minor ELSE 0 END::BIGINT AS past_due_minor,
    CASE part.state_code WHEN 'past_due' THEN part.bucket ELSE $current_bucket END::VARCHAR AS bucket,
    part.peak_core_minor::BIGINT AS peak_core_minor,
    CASE WHEN $is_cash_known THEN COALESCE(cash.cash_minor, 0) END::BIGINT AS cash_minor
FROM part
LEFT JOIN cash ON part.case_id = cash.case_id AND part.loan_id = cash.loan_id
LEFT JOIN first_hold ON part.case_id = first_hold.case_id AND part.loan_id = first_hold.loan_id
