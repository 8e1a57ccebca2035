-- Consents given by the close; a withdrawal counts from the day it is known.
SELECT
    consent_no AS consent_id,
    customer_no AS party_id,
    channel AS channel_code,
    purpose AS purpose_code,
    scope AS scope_code,
    point AS contact_point_id,
    given_at,
    expires_at,
    CASE WHEN revoked_known_on <= :closing_date THEN revoked_at END AS revoked_at
FROM core_banking.consent
WHERE known_on <= :closing_date
