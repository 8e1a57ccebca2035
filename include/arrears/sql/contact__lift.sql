-- Grain: candidate asked about and rule that a flag or a consent may silence: whether one does throughout, for all of
-- its debts, and when one next begins.
-- Inputs: contact_ask, contact_minding, contact_rule_word, contact_flag_concerning, contact_consent_known.
WITH lifting AS (
    SELECT
        ask.candidate_id,
        ask.asked_at,
        ask.until_at,
        ask.debts,
        word.rule_no,
        flag.loan_id,
        flag.starts_at,
        flag.ends_at
    FROM contact_ask AS ask
    INNER JOIN contact_flag_concerning AS flag ON ask.candidate_id = flag.candidate_id
    INNER JOIN contact_rule_word AS word
        ON ask.scope_id = word.scope_id AND word.use = 'unless_flags' AND flag.code = word.word
    UNION ALL
    SELECT
        ask.candidate_id,
        ask.asked_at,
        ask.until_at,
        ask.debts,
        word.rule_no,
        NULL AS loan_id,
        consent.given_at AS starts_at,
        consent.ends_at
    FROM contact_ask AS ask
    INNER JOIN contact_consent_known AS consent
        ON
            ask.candidate_id = consent.candidate_id
            AND (consent.contact_point_id IS NULL OR ask.contact_point_id = consent.contact_point_id)
    INNER JOIN contact_rule_word AS word
        ON ask.scope_id = word.scope_id AND word.use = 'unless_consents' AND consent.purpose = word.word
)
SELECT
    candidate_id,
    rule_no,
    COALESCE(BOOL_OR(starts_at <= asked_at AND ends_at >= until_at) FILTER (WHERE loan_id IS NULL), FALSE)
    OR COUNT(DISTINCT loan_id) FILTER (WHERE starts_at <= asked_at AND ends_at >= until_at)
    = NULLIF(LIST_UNIQUE(ANY_VALUE(debts)), 0) AS is_lifted,
    MIN(starts_at) FILTER (WHERE starts_at > asked_at) AS lifted_at
FROM lifting
GROUP BY candidate_id, rule_no
