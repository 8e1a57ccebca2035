-- Grain: candidate asked about and consent rule without a fitting consent in force throughout.
-- Rules: ARR-CON-05. Inputs: contact_ask, contact_minding, contact_consent_known.
SELECT
    ask.candidate_id,
    minding.rule_no,
    COALESCE(MIN(consent.given_at) FILTER (WHERE consent.given_at > ask.asked_at), 'infinity'::TIMESTAMP) AS clears_at
FROM contact_ask AS ask
INNER JOIN contact_minding AS minding
    ON
        ask.scope_id = minding.scope_id
        AND minding.kind = 'consent'
        AND ask.valid_on >= minding.valid_from
        AND ask.valid_on < minding.valid_to
LEFT JOIN contact_consent_known AS consent
    ON
        ask.candidate_id = consent.candidate_id
        AND minding.consent_purpose = consent.purpose
        AND (LEN(minding.consent_scopes) = 0 OR LIST_CONTAINS(minding.consent_scopes, consent.scope))
        AND (
            (consent.contact_point_id IS NOT DISTINCT FROM ask.contact_point_id)
            OR (NOT minding.same_contact_point AND consent.contact_point_id IS NULL)
        )
WHERE ask.are_consents_known
GROUP BY ask.candidate_id, minding.rule_no
HAVING NOT COALESCE(BOOL_OR(consent.given_at <= ask.asked_at AND consent.ends_at >= ask.until_at), FALSE)
