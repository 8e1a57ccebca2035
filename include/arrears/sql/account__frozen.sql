-- Grain: loan_id: loan whose bucket a freeze holds on the day, the day it is held as of, and the pause since.
-- Rules: ARR-BKT-03. Set-based twin of rules/pauses.py (classified_on). Inputs: raw__pause, raw__transaction.
-- Parameters: $as_of, $counted_until, $timezone.
WITH held_pause AS (
    SELECT
        loan_id,
        starts_on,
        COALESCE(ends_on, $as_of) AS ends_on
    FROM raw__pause
    WHERE COALESCE(effect_code, 'classification_freeze') = 'classification_freeze' AND starts_on <= $as_of
), stepped AS (
    SELECT
        *,
        COALESCE(
            starts_on > MAX(ends_on) OVER (
                PARTITION BY loan_id ORDER BY starts_on, ends_on ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) + 1, TRUE
        ) AS begins
    FROM held_pause
), last_span AS (
    SELECT
        loan_id,
        MAX(CASE WHEN begins THEN starts_on END) AS starts_on,
        MAX(ends_on) AS ends_on
    FROM stepped
    GROUP BY loan_id
), frozen AS (
    SELECT
        loan_id,
        starts_on
    FROM last_span
    WHERE ends_on >= $as_of
), entered AS (
    SELECT
        t.loan_id,
        MAX(
            LEAST(
                $as_of,
                GREATEST(
                    t.effective_on, COALESCE(TIMEZONE($timezone, t.booked_at)::DATE, t.effective_on)
                )
            )
        ) AS entered_on
    FROM raw__transaction AS t
    INNER JOIN frozen AS f ON t.loan_id = f.loan_id
    WHERE t.kind_code <> 'charge' AND t.effective_on <= $as_of
    GROUP BY t.loan_id
), held AS (
    SELECT
        f.loan_id,
        GREATEST(f.starts_on - 1, COALESCE(e.entered_on, f.starts_on - 1))
        + DATE_DIFF('day', $as_of, $counted_until)::INTEGER AS classified_until
    FROM frozen AS f
    LEFT JOIN entered AS e ON f.loan_id = e.loan_id
), span AS (
    -- each paused day since then once, however many pauses it lies in
    SELECT
        p.loan_id,
        h.classified_until,
        LEAST(COALESCE(p.ends_on, $counted_until), $counted_until) AS ends_on,
        GREATEST(
            p.starts_on,
            h.classified_until,
            COALESCE(
                MAX(LEAST(COALESCE(p.ends_on, $counted_until), $counted_until)) OVER (
                    PARTITION BY p.loan_id ORDER BY p.starts_on, p.ends_on
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ), p.starts_on
            )
        ) AS starts_on
    FROM raw__pause AS p
    INNER JOIN held AS h ON p.loan_id = h.loan_id
    WHERE COALESCE(p.effect_code, 'classification_freeze') = 'classification_freeze' AND p.starts_on < $counted_until
)
SELECT
    h.loan_id::VARCHAR AS loan_id,
    h.classified_until::DATE AS classified_until,
    COALESCE(SUM(GREATEST(0, DATE_DIFF('day', s.starts_on, s.ends_on))), 0)::INTEGER AS paused_since
FROM held AS h
LEFT JOIN span AS s ON h.loan_id = s.loan_id
GROUP BY h.loan_id, h.classified_until
