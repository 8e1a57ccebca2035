-- Grain: outbox row that is about to be sent, as a case due a step on one channel (due_step).
-- Inputs: message (case_no, person_id, borrower_id, channel, purpose, debts), raw__party,
-- raw__loan, core__loan_delinquency_daily.
-- The book is product@residence of all its loans, either empty where they differ or nobody knows; so are days past due.
WITH about AS (
    SELECT
        message.case_no,
        CASE WHEN COUNT(DISTINCT loan.past_due_days) = 1 THEN MAX(loan.past_due_days) END AS days_past_due,
        CASE WHEN COUNT(DISTINCT loan.product_code) = 1 THEN MIN(loan.product_code) END AS product_code,
        CASE
            WHEN COUNT(DISTINCT COALESCE(said.residence_region_code, '')) = 1 THEN MIN(said.residence_region_code)
        END AS residence_code
    FROM message
    INNER JOIN core__loan_delinquency_daily AS loan ON LIST_CONTAINS(message.debts, loan.loan_id)
    LEFT JOIN raw__loan AS said ON loan.loan_id = said.loan_id
    GROUP BY message.case_no
)
SELECT
    message.case_no,
    0 AS turn,
    COALESCE(about.product_code, '') || '@' || COALESCE(about.residence_code, '') AS book,
    message.person_id,
    message.borrower_id,
    party.party_id IS NOT NULL AS is_party_known,
    [message.channel] AS channels,
    message.purpose,
    []::VARCHAR[] AS content, -- noqa: RF04
    about.days_past_due,
    message.debts
FROM message
LEFT JOIN about ON message.case_no = about.case_no
LEFT JOIN raw__party AS party ON message.borrower_id = party.party_id
