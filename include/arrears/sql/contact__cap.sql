-- Grain: candidate asked about and cap whose window is full for a debt of it; a rest after a conversation is a full
-- window of one. Contacts made with a consent to frequency are not counted by a cap, and are barred by neither.
-- Rules: ARR-CON-02, ARR-CON-03. Inputs: contact_ask, contact_counting, contact_minding, contact_prior_day,
-- contact_frequency, contact_zone_day.
WITH consented AS (
    SELECT
        ask.candidate_id,
        frequency.debt,
        BOOL_OR(
            frequency.given_at <= ask.asked_at
            AND ask.asked_at < frequency.ends_at
            AND ask.asked_at <= frequency.talk_at
            AND ask.local_on - frequency.given_on < 7
        ) AS covers_ask,
        MIN(frequency.given_at) FILTER (WHERE frequency.given_at > ask.asked_at) AS next_given_at
    FROM contact_ask AS ask
    INNER JOIN contact_frequency AS frequency ON ask.candidate_id = frequency.candidate_id
    GROUP BY ask.candidate_id, frequency.debt
), pair AS (
    SELECT
        ask.candidate_id,
        ask.first_zone,
        ask.local_on AS asked_on,
        ask.debts,
        counting.rule_no,
        counting.max_contacts,
        counting.window_code,
        counting.window_days,
        counting.heeds_frequency,
        counting.excludes_frequency,
        counting.by_debt AND LEN(ask.debts) > 0 AS is_by_debt,
        earlier.started_at,
        earlier.local_on,
        earlier.debts AS prior_debts
    FROM contact_ask AS ask
    INNER JOIN contact_prior_day AS earlier
        ON ask.who_id = earlier.who_id AND ask.local_on >= earlier.local_on AND ask.known_until_at > earlier.started_at
    INNER JOIN contact_counting AS counting
        ON
            ask.scope_id = counting.scope_id
            AND earlier.prior_scope_id = counting.prior_scope_id
            AND ask.valid_on >= counting.valid_from
            AND ask.valid_on < counting.valid_to
            AND earlier.local_on >= CASE counting.window_code
                WHEN 'rolling_days' THEN ask.local_on - (counting.window_days - 1)
                WHEN 'calendar_day' THEN ask.local_on
                WHEN 'calendar_week' THEN ask.local_on - CAST(ISODOW(ask.local_on) - 1 AS INTEGER)
                WHEN 'calendar_month' THEN ask.local_on - CAST(DAY(ask.local_on) - 1 AS INTEGER)
                ELSE CAST('-infinity' AS DATE)
            END
            AND (NOT counting.by_party OR ask.party_id = earlier.party_id OR '' IN (ask.party_id, earlier.party_id))
            AND (
                NOT counting.by_collector
                OR ask.collector = earlier.collector
                OR '' IN (ask.collector, earlier.collector)
            )
            AND (
                NOT counting.by_point
                OR earlier.contact_point_id IS NULL
                OR ask.contact_point_id = earlier.contact_point_id
            )
    WHERE ask.is_history_known
), asked_debt AS (
    SELECT candidate_id, UNNEST(debts) AS debt
    FROM contact_ask
    WHERE EXISTS (
        SELECT 1 FROM contact_counting
        WHERE contact_counting.by_debt
    )
), counted AS (
    SELECT
        candidate_id,
        first_zone,
        asked_on,
        rule_no,
        max_contacts,
        window_code,
        window_days,
        local_on,
        NULL AS debt,
        CAST(NULL AS TIMESTAMP) AS next_given_at
    FROM pair
    WHERE NOT is_by_debt
    UNION ALL
    SELECT
        pair.candidate_id,
        pair.first_zone,
        pair.asked_on,
        pair.rule_no,
        pair.max_contacts,
        pair.window_code,
        pair.window_days,
        pair.local_on,
        asked_debt.debt,
        CASE WHEN pair.heeds_frequency THEN consented.next_given_at END AS next_given_at
    FROM pair
    INNER JOIN asked_debt ON pair.candidate_id = asked_debt.candidate_id
    LEFT JOIN consented
        ON pair.candidate_id = consented.candidate_id AND asked_debt.debt = consented.debt
    WHERE
        pair.is_by_debt
        AND (LEN(pair.prior_debts) = 0 OR LIST_CONTAINS(pair.prior_debts, asked_debt.debt))
        AND NOT (pair.heeds_frequency AND COALESCE(consented.covers_ask, FALSE))
        AND NOT (
            pair.excludes_frequency
            AND EXISTS (
                SELECT 1
                FROM contact_frequency AS frequency
                WHERE
                    frequency.candidate_id = pair.candidate_id
                    AND frequency.debt = asked_debt.debt
                    AND frequency.given_at <= pair.started_at
                    AND pair.started_at < frequency.ends_at
                    AND pair.started_at <= frequency.talk_at
                    AND pair.local_on - frequency.given_on < 7
            )
        )
), full_window AS (
    SELECT
        candidate_id,
        first_zone,
        rule_no,
        next_given_at,
        CASE window_code
            WHEN 'rolling_days' THEN LIST_REVERSE_SORT(LIST(local_on))[max_contacts] + window_days
            WHEN 'calendar_day' THEN asked_on + 1
            WHEN 'calendar_week' THEN asked_on - CAST(ISODOW(asked_on) - 1 AS INTEGER) + 7
            WHEN 'calendar_month' THEN LAST_DAY(asked_on) + 1
        END AS clears_on
    FROM counted
    GROUP BY
        candidate_id,
        first_zone,
        asked_on,
        rule_no,
        max_contacts,
        window_code,
        window_days,
        debt,
        next_given_at
    HAVING COUNT(*) >= max_contacts
), never_open AS (
    SELECT
        ask.candidate_id,
        minding.rule_no,
        UNNEST(CASE WHEN minding.heeds_frequency AND LEN(ask.debts) > 0 THEN ask.debts ELSE [NULL] END) AS debt
    FROM contact_ask AS ask
    INNER JOIN contact_minding AS minding
        ON
            ask.scope_id = minding.scope_id
            AND minding.kind = 'cap'
            AND minding.max_contacts = 0
            AND ask.valid_on >= minding.valid_from
            AND ask.valid_on < minding.valid_to
    WHERE ask.is_history_known AND ask.first_zone IS NOT NULL
), clearing AS (
    SELECT
        full_window.candidate_id,
        full_window.rule_no,
        LEAST(
            COALESCE(zone_day.midnight_at, CAST('infinity' AS TIMESTAMP)),
            COALESCE(full_window.next_given_at, CAST('infinity' AS TIMESTAMP))
        ) AS clears_at
    FROM full_window
    LEFT JOIN contact_zone_day AS zone_day
        ON full_window.first_zone = zone_day.zone AND full_window.clears_on = zone_day.local_on
    UNION ALL
    SELECT
        never_open.candidate_id,
        never_open.rule_no,
        COALESCE(consented.next_given_at, CAST('infinity' AS TIMESTAMP)) AS clears_at
    FROM never_open
    LEFT JOIN consented
        ON never_open.candidate_id = consented.candidate_id AND never_open.debt = consented.debt
    WHERE NOT COALESCE(consented.covers_ask, FALSE)
)
SELECT
    candidate_id,
    rule_no,
    MAX(clears_at) AS clears_at
FROM clearing
GROUP BY candidate_id, rule_no
