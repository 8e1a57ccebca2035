-- Grain: outgoing contact that is known at the cut of the day and was not at the cut before, with what is known of
-- whom it reached: the part in the debt, the one loan it can only have been about, product@residence of those it may
-- have been about, the case, the date in the portfolio's zone, and every zone the person may have been in, the point's
-- first. Rules: ARR-CON-12. Inputs: raw__contact (all that are known), known_before, raw__party, raw__contact_point,
-- raw__loan, raw__loan_party, core__case_daily. Parameters: zone.
WITH made AS (
    SELECT
        contact.*,
        COALESCE(party.person_id, contact.party_id) AS person_id,
        CAST(TIMEZONE($zone, contact.started_at) AS DATE) AS made_on
    FROM raw__contact AS contact
    LEFT JOIN raw__party AS party ON contact.party_id = party.party_id
    WHERE
        contact.direction_code = 'out'
        AND contact.contact_id NOT IN (SELECT known_before.contact_id FROM known_before)
), borrowed AS (
    SELECT
        borrower_id,
        LIST(loan_id ORDER BY loan_id) AS loan_ids,
        LIST_SORT(LIST(DISTINCT product_code || '@' || COALESCE(residence_region_code, ''))) AS products
    FROM raw__loan
    GROUP BY borrower_id
), standing AS (
    SELECT
        party_id,
        CASE COUNT(DISTINCT role_code)
            WHEN 1 THEN CASE MIN(role_code) WHEN 'borrower' THEN 'consumer' ELSE MIN(role_code) END
            ELSE 'unknown'
        END AS party
    FROM raw__loan_party
    GROUP BY party_id
), worked AS (
    SELECT made.contact_id, MAX_BY(case_of_day.case_id, case_of_day.opened_on) AS case_id
    FROM made
    INNER JOIN core__case_daily AS case_of_day
        ON made.party_id = case_of_day.borrower_id AND made.made_on >= case_of_day.opened_on
    GROUP BY made.contact_id
), record AS (
    SELECT party_id, person_id
    FROM raw__party
    UNION
    SELECT party_id, person_id
    FROM made
), person_zone AS (
    SELECT
        made.contact_id,
        LIST(DISTINCT other.timezone ORDER BY other.timezone) AS zones
    FROM made
    INNER JOIN record ON made.person_id = record.person_id
    INNER JOIN raw__contact_point AS other
        ON
            record.party_id = other.party_id
            AND (other.invalid_from IS NULL OR made.started_at < other.invalid_from)
    WHERE other.timezone IS NOT NULL
    GROUP BY made.contact_id
)
SELECT
    ROW_NUMBER() OVER (ORDER BY made.contact_id) AS replay_id,
    made.contact_id,
    made.person_id,
    made.party_id,
    made.channel_code,
    made.purpose_code,
    made.contact_point_id,
    made.started_at,
    made.made_on,
    TIMEZONE($zone, CAST(made.made_on AS TIMESTAMP)) AS day_start,
    worked.case_id,
    COALESCE(used.place_code, 'personal') AS place_code,
    CASE WHEN borrowed.borrower_id IS NULL THEN COALESCE(standing.party, 'unknown') ELSE 'consumer' END AS party,
    CASE WHEN LEN(borrowed.loan_ids) = 1 THEN borrowed.loan_ids ELSE [] END AS loan_ids,
    COALESCE(borrowed.products, []) AS products,
    CASE
        WHEN used.timezone IS NULL THEN COALESCE(person_zone.zones, [])
        ELSE LIST_PREPEND(used.timezone, LIST_FILTER(person_zone.zones, LAMBDA zone: zone <> used.timezone))
    END AS zones
FROM made
LEFT JOIN borrowed ON made.party_id = borrowed.borrower_id
LEFT JOIN standing ON made.party_id = standing.party_id
LEFT JOIN worked ON made.contact_id = worked.contact_id
LEFT JOIN raw__contact_point AS used ON made.contact_point_id = used.contact_point_id
LEFT JOIN person_zone ON made.contact_id = person_zone.contact_id
