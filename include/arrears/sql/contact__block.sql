-- Grain: candidate asked about and block that bars it: by what it is, while a flag holds, or content it does not hold.
-- Rules: ARR-CON-04, ARR-CON-09. Inputs: contact_ask, contact_minding, contact_rule_word, contact_flag_concerning.
SELECT
    ask.candidate_id,
    minding.rule_no,
    'infinity'::TIMESTAMP AS clears_at
FROM contact_ask AS ask
INNER JOIN contact_minding AS minding
    ON
        ask.scope_id = minding.scope_id
        AND minding.kind IN ('block', 'require')
        AND NOT minding.has_when_flags
        AND ask.valid_on >= minding.valid_from
        AND ask.valid_on < minding.valid_to
UNION ALL
SELECT
    ask.candidate_id,
    minding.rule_no,
    MAX(flag.ends_at) AS clears_at
FROM contact_ask AS ask
INNER JOIN contact_flag_concerning AS flag
    ON ask.candidate_id = flag.candidate_id AND ask.until_at > flag.starts_at AND ask.asked_at < flag.ends_at
INNER JOIN contact_rule_word AS word
    ON ask.scope_id = word.scope_id AND word.use = 'when_flags' AND flag.code = word.word
INNER JOIN contact_minding AS minding
    ON
        word.scope_id = minding.scope_id
        AND word.rule_no = minding.rule_no
        AND minding.kind = 'block'
        AND ask.valid_on >= minding.valid_from
        AND ask.valid_on < minding.valid_to
GROUP BY ask.candidate_id, minding.rule_no
