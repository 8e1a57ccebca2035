-- Grain: candidate and flag about its person, its contact point or one of its loans, any where it names none; its first
-- date, where known.
-- Inputs: contact_candidate_coded, contact_flag, contact_zone_segment.
WITH known_flag AS (
    SELECT
        person_id,
        code,
        loan_id,
        contact_point_id,
        MAKE_TIMESTAMP(EPOCH_US(starts_at)) AS starts_at,
        MAKE_TIMESTAMP(EPOCH_US(ends_at)) AS ends_at
    FROM contact_flag
), concerning AS (
    SELECT
        candidate.candidate_id,
        candidate.first_zone,
        flag.code,
        flag.loan_id,
        flag.starts_at,
        COALESCE(flag.ends_at, 'infinity'::TIMESTAMP) AS ends_at,
        CASE WHEN flag.starts_at > TIMESTAMP '0001-01-01 00:00:00' THEN flag.starts_at END AS known_starts_at,
        CASE WHEN flag.starts_at > TIMESTAMP '0001-01-01 00:00:00' THEN flag.starts_at ELSE flag.ends_at END AS began_at
    FROM contact_candidate_coded AS candidate
    INNER JOIN known_flag AS flag ON candidate.person_id = flag.person_id
    WHERE
        candidate.are_flags_known
        AND (flag.loan_id IS NULL OR LEN(candidate.debts) = 0 OR LIST_CONTAINS(candidate.debts, flag.loan_id))
        AND (flag.contact_point_id IS NULL OR flag.contact_point_id = candidate.contact_point_id)
)
SELECT
    concerning.candidate_id,
    concerning.code,
    concerning.loan_id,
    concerning.starts_at,
    concerning.ends_at,
    CASE
        WHEN concerning.known_starts_at IS NOT NULL
            THEN (concerning.known_starts_at + segment.utc_offset)::DATE
    END AS starts_on,
    (concerning.began_at + segment.utc_offset)::DATE AS began_on
FROM concerning
LEFT JOIN contact_zone_segment AS segment
    ON
        concerning.first_zone = segment.zone
        AND concerning.began_at >= segment.starts_at
        AND concerning.began_at < segment.ends_at
