-- Consents given by the close; a withdrawal counts from the day it is known.
SELECT
    consent_id,
    party_id,
    channel_code,
    purpose_code,
    scope_code,
    contact_point_id,
    given_at,
    expires_at,
    revoked_at,
    source_file,
    source_line
FROM consent
