-- Grain: candidate and fact that is missing, numbered before every rule.
-- Rules: ARR-CON-06. Inputs: contact_candidate_coded, contact_book, contact_fact.
SELECT candidate.candidate_id, fact.rule_no
FROM contact_candidate_coded AS candidate
INNER JOIN contact_book AS book ON candidate.book = book.book
INNER JOIN contact_fact AS fact
    ON
        CASE fact.name
            WHEN 'pack' THEN NOT book.has_rules
            WHEN 'party' THEN NOT candidate.is_party_known
            WHEN 'contact_point' THEN candidate.contact_point_id IS NULL
            WHEN 'channel'
                THEN
                    candidate.channel NOT IN (
                        'sms', 'email', 'push', 'chat', 'call', 'voice_bot', 'voicemail_drop', 'letter', 'visit'
                    )
            WHEN 'time_zone' THEN candidate.first_zone IS NULL
            WHEN 'flags' THEN NOT candidate.are_flags_known
            WHEN 'contact_history' THEN NOT candidate.is_history_known
            WHEN 'consent' THEN NOT candidate.are_consents_known AND book.wants_consent
            WHEN 'inconvenient_times' THEN NOT candidate.are_times_known AND book.wants_times
        END
