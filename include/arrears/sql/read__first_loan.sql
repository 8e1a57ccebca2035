-- Grain: borrower whose first and only loan was disbursed within the last days. What the explanation of it needs.
-- Rules: ARR-STR-06. Inputs: raw__loan, core__loan_delinquency_daily, raw__party, spared_borrower, previous__waiting.
-- Parameters: portfolio, language (default), back_days.
WITH only_loan AS (
    SELECT borrower_id, MIN(loan_id) AS loan_id, MIN(disbursed_on) AS disbursed_on
    FROM raw__loan
    GROUP BY borrower_id
    HAVING COUNT(*) = 1 AND MIN(disbursed_on) BETWEEN $business_date - $back_days::INTEGER AND $business_date
), named AS (
    SELECT
        only_loan.*,
        loan.product_code,
        loan.currency,
        'F-' || SUBSTRING(SHA256($portfolio || '|first|' || only_loan.loan_id), 1, 16) AS case_id
    FROM only_loan
    INNER JOIN core__loan_delinquency_daily AS loan ON only_loan.loan_id = loan.loan_id
    ANTI JOIN spared_borrower AS spared ON only_loan.borrower_id = spared.borrower_id
    WHERE loan.is_open AND loan.past_due_days = 0
)
SELECT
    named.case_id,
    named.borrower_id,
    party.person_id,
    party.party_id IS NOT NULL AS is_party_known,
    COALESCE(party.language, $language) AS party_language,
    'first|' || named.loan_id AS episode,
    DATE_DIFF('day', named.disbursed_on, $business_date::DATE) AS age_days,
    0::BIGINT AS amount_minor,
    named.currency,
    [named.loan_id] AS loan_ids,
    named.product_code,
    earlier.step_key AS waiting_key
FROM named
LEFT JOIN raw__party AS party ON named.borrower_id = party.party_id
LEFT JOIN previous__waiting AS earlier ON named.case_id = earlier.case_id
