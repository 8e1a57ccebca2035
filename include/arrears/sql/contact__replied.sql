-- Grain: candidate and rule that already barred when the person wrote, and still does: one reply is not minded.
-- Rules: ARR-CON-11. Inputs: contact_firing (as it was when the person wrote), contact_reply.
SELECT reply.candidate_id, reply.rule_no
FROM contact_reply AS reply
INNER JOIN contact_firing AS firing
    ON
        reply.candidate_id = firing.candidate_id
        AND reply.rule_no = firing.rule_no
        AND reply.planned_at < firing.clears_at
