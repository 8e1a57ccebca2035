-- Borrowers who have or had a case, by a key that names nobody.
-- Grain: one row per portfolio and borrower.
-- Of: mart.fct_case_daily
-- borrower_key: Borrower, HMAC by a key of the lender that stays in the vault
-- first_case_on: Date on which the first case opened
-- last_case_on: Date on which the last one opened
-- cases: Cases so far
-- has_open_case: Whether one of them is open
SELECT
    portfolio,
    borrower_key,
    MIN(opened_on) AS first_case_on,
    MAX(opened_on) AS last_case_on,
    COUNT(*) AS cases,
    BOOL_OR(is_open) AS has_open_case
FROM bi.collection_case
GROUP BY portfolio, borrower_key
