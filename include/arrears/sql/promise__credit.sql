-- Grain: loan_id x credit_id: repayment as it stands at the close: reversed ones are gone, and chargebacks take back
-- what was paid last before the last of them.
-- Rules: ARR-PTP-02. Set-based twin of rules/promises.py (standing_credits).
-- Inputs: promise_part, raw__transaction, annulled.
WITH promised_loan AS (
    SELECT DISTINCT
        borrower_id,
        UNNEST(loan_ids) AS loan_id
    FROM promise_part
), entry AS (
    SELECT
        promised_loan.borrower_id,
        made.loan_id,
        made.transaction_id,
        made.kind_code,
        made.effective_on,
        made.amount_minor
    FROM raw__transaction AS made
    INNER JOIN promised_loan ON made.loan_id = promised_loan.loan_id
    LEFT JOIN annulled
        ON made.loan_id = annulled.loan_id AND made.transaction_id = annulled.transaction_id
    WHERE made.kind_code IN ('repayment', 'chargeback') AND annulled.loan_id IS NULL
), charged_back AS (
    SELECT
        borrower_id,
        loan_id,
        SUM(amount_minor) AS back_minor,
        MAX(effective_on) AS last_on
    FROM entry
    WHERE kind_code = 'chargeback'
    GROUP BY borrower_id, loan_id
), credit AS (
    SELECT
        entry.borrower_id,
        entry.loan_id,
        entry.transaction_id,
        entry.effective_on,
        entry.amount_minor,
        COALESCE(entry.effective_on <= charged_back.last_on, FALSE) AS is_before,
        COALESCE(charged_back.back_minor, 0) AS back_minor
    FROM entry
    LEFT JOIN charged_back
        ON entry.borrower_id = charged_back.borrower_id AND entry.loan_id = charged_back.loan_id
    WHERE entry.kind_code = 'repayment'
), taken AS (
    SELECT
        *,
        CASE
            WHEN is_before
                THEN LEAST(amount_minor, GREATEST(0, back_minor - COALESCE(SUM(amount_minor) OVER later, 0)))
            ELSE 0
        END AS taken_minor
    FROM credit
    WINDOW later AS (
        PARTITION BY borrower_id, loan_id, is_before
        ORDER BY effective_on DESC, transaction_id DESC
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
)
SELECT
    borrower_id::VARCHAR AS borrower_id,
    loan_id::VARCHAR AS loan_id,
    transaction_id::VARCHAR AS credit_id,
    effective_on::DATE AS credited_on,
    (amount_minor - taken_minor)::BIGINT AS amount_minor
FROM taken
WHERE amount_minor > taken_minor
