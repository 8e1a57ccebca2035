-- Grain: one row. Contacts known since the day compared with, by whom they were made to, and what people answered.
-- Rules: ARR-MET-16. Inputs: core__case_daily, out__contact_attempt_daily, raw__flag.
-- Parameters: $currency, $has_contacts, $has_flags, $since and $until (instants).
WITH borrower AS (
    SELECT COUNT(DISTINCT borrower_id) AS borrowers
    FROM core__case_daily
), attempt AS (
    SELECT party_id, made_on, channel_code, is_connected
    FROM out__contact_attempt_daily
    WHERE direction_code = 'out'
), party_day AS (
    SELECT party_id, made_on, COUNT(*) AS attempts
    FROM attempt
    GROUP BY party_id, made_on
), made AS (
    SELECT
        COALESCE(SUM(attempts), 0) AS attempts,
        COUNT(DISTINCT party_id) AS contacted_borrowers,
        COUNT(*) AS borrower_days,
        COALESCE(MAX(attempts), 0) AS most_attempts
    FROM party_day
), reached AS (
    SELECT
        COUNT(DISTINCT party_id) AS reached_borrowers,
        COUNT(DISTINCT CASE WHEN channel_code = 'voice_bot' THEN party_id END) AS bot_borrowers
    FROM attempt
    WHERE is_connected
), answer AS (
    SELECT
        COUNT(*) FILTER (WHERE flag_code = 'opt_out') AS opt_outs,
        COUNT(*) FILTER (WHERE flag_code = 'complaint') AS complaints,
        COUNT(*) FILTER (WHERE flag_code = 'hardship') AS hardships,
        COUNT(*) FILTER (WHERE flag_code = 'dispute') AS disputes
    FROM raw__flag
    WHERE starts_at >= $since AND starts_at < $until
)
SELECT
    $currency::VARCHAR AS currency,
    b.borrowers::BIGINT AS borrowers,
    CASE WHEN $has_contacts THEN m.attempts END::BIGINT AS attempts,
    CASE WHEN $has_contacts THEN m.contacted_borrowers END::BIGINT AS contacted_borrowers,
    CASE WHEN $has_contacts THEN m.borrower_days END::BIGINT AS borrower_days,
    CASE WHEN $has_contacts THEN m.most_attempts END::BIGINT AS most_attempts,
    CASE WHEN $has_contacts THEN r.reached_borrowers END::BIGINT AS reached_borrowers,
    CASE WHEN $has_contacts THEN r.bot_borrowers END::BIGINT AS bot_borrowers,
    CASE WHEN $has_flags THEN a.opt_outs END::BIGINT AS opt_outs,
    CASE WHEN $has_flags THEN a.complaints END::BIGINT AS complaints,
    CASE WHEN $has_flags THEN a.hardships END::BIGINT AS hardships,
    CASE WHEN $has_flags THEN a.disputes END::BIGINT AS disputes
FROM borrower AS b, made AS m, reached AS r, answer AS a
