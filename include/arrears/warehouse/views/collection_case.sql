-- Cases from opening to close: milestones and the days between them. Open cases are as of the newest business date.
-- Grain: one row per portfolio and case.
-- Of: mart.fct_case_daily
-- as_of_date: Business date that the row is as of: the newest, or the one on which the case closed
-- borrower_key: Borrower, HMAC by a key of the lender that stays in the vault: the same in all portfolios of the lender
-- is_open: Whether the case is open
-- attempts: Outgoing contacts so far
-- first_attempt_on: Date of the first outgoing contact; NULL until then
-- first_right_party_on: Date of the first contact with the right party; NULL until then, or not said
-- days_to_attempt: Days from opened_on to first_attempt_on
-- days_to_right_party: Days from opened_on to first_right_party_on
-- days_to_close: Days from opened_on to closed_on; NULL while open
WITH newest AS (
    SELECT
        portfolio,
        MAX(business_date) AS business_date
    FROM mart.fct_summary_daily
    GROUP BY portfolio
), standing AS (
    SELECT case_of_day.*
    FROM mart.fct_case_daily AS case_of_day
    INNER JOIN newest
        ON case_of_day.portfolio = newest.portfolio AND case_of_day.business_date = newest.business_date
    WHERE case_of_day.event_code <> 'closed'
    UNION ALL
    SELECT *
    FROM mart.fct_case_daily
    WHERE event_code = 'closed'
), known AS (
    SELECT DISTINCT ON (portfolio, case_id) *
    FROM standing
    ORDER BY portfolio ASC, case_id ASC, business_date DESC
), tried AS (
    SELECT
        portfolio,
        case_id,
        COUNT(*) AS attempts,
        MIN(made_on) AS first_attempt_on,
        MIN(made_on) FILTER (WHERE right_party = 'yes') AS first_right_party_on
    FROM mart.fct_contact_attempt
    WHERE direction_code = 'out' AND case_id IS NOT NULL
    GROUP BY portfolio, case_id
), secret AS (
    SELECT DISTINCT ON (whose.portfolio)
        whose.portfolio,
        pads.inner_pad,
        pads.outer_pad
    FROM vault.lender_of AS whose
    INNER JOIN vault.pseudonym_key AS pads ON whose.lender = pads.lender
    ORDER BY whose.portfolio ASC, pads.key_version DESC
)
SELECT
    known.portfolio,
    known.case_id,
    known.business_date AS as_of_date,
    SUBSTRING(
        ENCODE(
            SHA256(secret.outer_pad || SHA256(secret.inner_pad || CONVERT_TO(known.borrower_id, 'UTF8'))), 'hex'
        ),
        1, 32
    ) AS borrower_key,
    known.event_code <> 'closed' AS is_open,
    known.opened_on,
    known.closed_on,
    known.close_reason_code,
    known.currency,
    known.past_due_minor,
    known.past_due_days,
    known.bucket,
    known.hold_code,
    known.state_code,
    known.episodes,
    COALESCE(tried.attempts, 0) AS attempts,
    tried.first_attempt_on,
    tried.first_right_party_on,
    tried.first_attempt_on - known.opened_on AS days_to_attempt,
    tried.first_right_party_on - known.opened_on AS days_to_right_party,
    known.closed_on - known.opened_on AS days_to_close
FROM known
LEFT JOIN secret ON known.portfolio = secret.portfolio
LEFT JOIN tried ON known.portfolio = tried.portfolio AND known.case_id = tried.case_id
