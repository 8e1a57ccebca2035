-- Grain: time zone and stretch without a clock change. What its clock shows is the instant (UTC) plus utc_offset.
-- A wall-clock time that a clock change skips or repeats has two readings: the earlier one is of the stretch whose
-- earlier_from .. earlier_to holds it, the later one of the stretch whose later_from .. later_to does.
-- Rules: ARR-CON-01. Inputs: contact_clock_change (zone, starts_at, utc_offset; NULL: from the beginning).
WITH stretch AS (
    SELECT
        zone,
        starts_at,
        utc_offset,
        LAG(utc_offset) OVER zone_order AS offset_before,
        LEAD(starts_at) OVER zone_order AS ends_at,
        LEAD(utc_offset) OVER zone_order AS offset_after
    FROM contact_clock_change
    WINDOW zone_order AS (PARTITION BY zone ORDER BY starts_at ASC NULLS FIRST)
)
SELECT
    zone,
    utc_offset,
    COALESCE(starts_at, '-infinity'::TIMESTAMP) AS starts_at,
    COALESCE(ends_at, 'infinity'::TIMESTAMP) AS ends_at,
    COALESCE(starts_at + offset_before, '-infinity'::TIMESTAMP) AS earlier_from,
    COALESCE(ends_at + utc_offset, 'infinity'::TIMESTAMP) AS earlier_to,
    COALESCE(starts_at + utc_offset, '-infinity'::TIMESTAMP) AS later_from,
    COALESCE(ends_at + offset_after, 'infinity'::TIMESTAMP) AS later_to
FROM stretch
