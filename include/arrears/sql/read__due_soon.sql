-- Grain: borrower and coming due date, of loans with nothing past due. What a reminder before the due date needs; what
-- is paid in advance is not asked for again, and who has a case or is held is spared.
-- Rules: ARR-STR-06. Inputs: schedule, raw__transaction, core__loan_delinquency_daily, raw__party,
-- spared_borrower, previous__waiting. Parameters: portfolio, language (default), ahead_days, tolerance_minor.
WITH coming AS (
    SELECT
        instalment.loan_id,
        loan.borrower_id,
        loan.product_code,
        loan.currency,
        instalment.seq,
        instalment.due_on,
        instalment.principal_minor + instalment.interest_minor + instalment.fee_minor + instalment.penalty_minor
            AS instalment_minor
    FROM schedule AS instalment
    INNER JOIN core__loan_delinquency_daily AS loan ON instalment.loan_id = loan.loan_id
    ANTI JOIN spared_borrower AS spared ON loan.borrower_id = spared.borrower_id
    WHERE
        loan.is_open AND loan.status_code = 'active' AND loan.past_due_days = 0
        AND instalment.due_on BETWEEN $business_date AND $business_date + $ahead_days::INTEGER
), entry AS (
    SELECT
        booked.loan_id,
        booked.amount_minor,
        COALESCE(undone.kind_code, booked.kind_code) AS kind_code,
        CASE WHEN undone.transaction_id IS NULL THEN 1 ELSE -1 END AS direction
    FROM raw__transaction AS booked
    SEMI JOIN coming ON booked.loan_id = coming.loan_id
    LEFT JOIN raw__transaction AS undone ON booked.reverses_id = undone.transaction_id
), credit AS (
    SELECT
        loan_id,
        SUM(
            CASE
                WHEN kind_code IN ('chargeback', 'credit_refund', 'charge') THEN -direction * amount_minor
                ELSE direction * amount_minor
            END
        ) AS credit_minor
    FROM entry
    GROUP BY loan_id
), owed AS (
    SELECT
        coming.loan_id,
        coming.seq,
        SUM(earlier.principal_minor + earlier.interest_minor + earlier.fee_minor + earlier.penalty_minor) AS owed_minor
    FROM coming
    INNER JOIN schedule AS earlier ON coming.loan_id = earlier.loan_id AND coming.due_on >= earlier.due_on
    GROUP BY coming.loan_id, coming.seq
), due AS (
    SELECT
        coming.*,
        LEAST(coming.instalment_minor, owed.owed_minor - COALESCE(credit.credit_minor, 0)) AS due_minor
    FROM coming
    INNER JOIN owed ON coming.loan_id = owed.loan_id AND coming.seq = owed.seq
    LEFT JOIN credit ON coming.loan_id = credit.loan_id
), reminder AS (
    SELECT
        borrower_id,
        due_on,
        MIN(loan_id || '|' || seq) AS episode,
        LIST(DISTINCT loan_id ORDER BY loan_id) AS loan_ids,
        SUM(due_minor) AS amount_minor,
        CASE WHEN COUNT(DISTINCT product_code) = 1 THEN MIN(product_code) END AS product_code,
        MIN(currency) AS currency
    FROM due
    WHERE due_minor > $tolerance_minor
    GROUP BY borrower_id, due_on
), named AS (
    SELECT *, 'P-' || SUBSTRING(SHA256($portfolio || '|' || episode), 1, 16) AS case_id
    FROM reminder
)
SELECT
    named.case_id,
    named.borrower_id,
    party.person_id,
    party.party_id IS NOT NULL AS is_party_known,
    COALESCE(party.language, $language) AS party_language,
    named.episode,
    DATE_DIFF('day', named.due_on, $business_date::DATE) AS age_days,
    named.amount_minor,
    named.currency,
    named.loan_ids,
    named.product_code,
    earlier.step_key AS waiting_key
FROM named
LEFT JOIN raw__party AS party ON named.borrower_id = party.party_id
LEFT JOIN previous__waiting AS earlier ON named.case_id = earlier.case_id
