-- Grain: candidate and rule that forbids it, in order; one row without a rule when it is allowed; instants in UTC.
-- Inputs: contact_candidate, contact_answer, contact_fired_rule.
SELECT
    candidate.case_no,
    candidate.candidate_id,
    candidate.channel,
    candidate.point_rank,
    candidate.contact_point_id,
    candidate.place,
    fired.rule_id,
    fired.citation,
    fired.effect,
    TIMEZONE('UTC', answer.earliest_at) AS earliest_at,
    TIMEZONE('UTC', answer.not_before_at) AS not_before_at,
    TIMEZONE('UTC', answer.not_after_at) AS not_after_at
FROM contact_candidate AS candidate
INNER JOIN contact_answer AS answer ON candidate.candidate_id = answer.candidate_id
LEFT JOIN contact_fired_rule AS fired ON candidate.candidate_id = fired.candidate_id
ORDER BY candidate.candidate_id ASC, fired.rule_no ASC
