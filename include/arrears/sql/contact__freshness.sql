-- Grain: candidate asked about and rule without evidence young enough that stands throughout.
-- Rules: ARR-CON-10. Inputs: contact_ask, contact_minding, contact_rule_word, contact_flag_concerning.
WITH evidence AS (
    SELECT
        ask.candidate_id,
        word.rule_no,
        flag.starts_at,
        flag.ends_at,
        flag.starts_on
    FROM contact_ask AS ask
    INNER JOIN contact_flag_concerning AS flag
        ON ask.candidate_id = flag.candidate_id AND (flag.loan_id IS NULL OR LEN(ask.debts) > 0)
    INNER JOIN contact_rule_word AS word
        ON ask.scope_id = word.scope_id AND word.use = 'evidence' AND flag.code = word.word
)
SELECT
    ask.candidate_id,
    minding.rule_no,
    COALESCE(MIN(evidence.starts_at) FILTER (WHERE evidence.starts_at > ask.asked_at), 'infinity'::TIMESTAMP)
        AS clears_at
FROM contact_ask AS ask
INNER JOIN contact_minding AS minding
    ON
        ask.scope_id = minding.scope_id
        AND minding.kind = 'freshness'
        AND ask.valid_on >= minding.valid_from
        AND ask.valid_on < minding.valid_to
LEFT JOIN evidence ON ask.candidate_id = evidence.candidate_id AND minding.rule_no = evidence.rule_no
WHERE ask.first_zone IS NOT NULL
GROUP BY ask.candidate_id, minding.rule_no
HAVING
    NOT COALESCE(
        BOOL_OR(
            evidence.starts_on IS NOT NULL
            AND evidence.starts_at <= ask.asked_at
            AND evidence.ends_at >= ask.until_at
            AND ask.last_on - evidence.starts_on <= minding.days
        ),
        FALSE
    )
