-- Grain: candidate, debt of it and consent to be contacted more often about that debt; with the first conversation
-- after
-- it, which spends it. Rules: ARR-CON-02, ARR-CON-03. Inputs: contact_candidate_coded, contact_consent_known,
-- contact_prior, contact_zone_segment.
WITH consent AS (
    SELECT
        candidate_id,
        given_at,
        ends_at,
        UNNEST(debts) AS debt
    FROM contact_consent_known
    WHERE purpose = 'frequency'
), talk AS (
    SELECT
        candidate.candidate_id,
        earlier.debts,
        MAKE_TIMESTAMP(EPOCH_US(earlier.started_at)) AS started_at
    FROM contact_candidate_coded AS candidate
    INNER JOIN contact_prior AS earlier
        ON
            candidate.person_id = earlier.person_id
            AND candidate.party_id = earlier.party_id
            AND earlier.outcome = 'conversation'
            AND MAKE_TIMESTAMP(EPOCH_US(earlier.started_at)) < candidate.known_until_at
    WHERE
        candidate.is_history_known
        AND candidate.candidate_id IN (SELECT consent.candidate_id FROM consent)
), spent AS (
    SELECT
        consent.candidate_id,
        consent.debt,
        consent.given_at,
        consent.ends_at,
        COALESCE(MIN(talk.started_at), 'infinity'::TIMESTAMP) AS talk_at
    FROM consent
    LEFT JOIN talk
        ON
            consent.candidate_id = talk.candidate_id
            AND consent.given_at < talk.started_at
            AND (LEN(talk.debts) = 0 OR LIST_CONTAINS(talk.debts, consent.debt))
    GROUP BY consent.candidate_id, consent.debt, consent.given_at, consent.ends_at
)
SELECT
    spent.candidate_id,
    spent.debt,
    spent.given_at,
    spent.ends_at,
    spent.talk_at,
    (spent.given_at + segment.utc_offset)::DATE AS given_on
FROM spent
INNER JOIN contact_candidate_coded AS candidate ON spent.candidate_id = candidate.candidate_id
INNER JOIN contact_zone_segment AS segment
    ON
        candidate.first_zone = segment.zone
        AND spent.given_at >= segment.starts_at
        AND spent.given_at < segment.ends_at
WHERE LIST_CONTAINS(candidate.debts, spent.debt)
