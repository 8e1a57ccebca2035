-- Grain: ledger table x figure of its profile, or of one product's, beside its median over the last 8 same weekdays.
-- Rules: ARR-VAL-08. Inputs: quality_figure (table_name, profile_code, profile_value, compared_by, is_required), of the
-- day; quality_before (the same of earlier days: table_name, profile_code, profile_value).
-- A volume departs by a share of the median and by a floor of rows, a count by doubling past the floor, a lag by days.
-- What a product's figure must be for contact about it to stop is more: half of its rows gone, or a newest row older by
-- days than it was on any of those weekdays.
WITH earlier AS (
    SELECT
        table_name,
        profile_code,
        COUNT(profile_value) AS compared_days,
        QUANTILE_DISC(profile_value, 0.5) AS median_value,
        MAX(profile_value) AS most_value
    FROM quality_before
    GROUP BY table_name, profile_code
), beside AS (
    SELECT
        today.*,
        earlier.median_value,
        earlier.most_value,
        COALESCE(earlier.compared_days, 0) AS compared_days
    FROM quality_figure AS today
    LEFT JOIN earlier ON today.table_name = earlier.table_name AND today.profile_code = earlier.profile_code
)
SELECT
    CAST(table_name AS VARCHAR) AS table_name,
    CAST(profile_code AS VARCHAR) AS profile_code,
    CAST(profile_value AS BIGINT) AS profile_value,
    CAST(median_value AS BIGINT) AS median_value,
    CAST(compared_days AS BIGINT) AS compared_days,
    CAST(
        CASE
            WHEN compared_days < $min_days THEN 'unknown'
            WHEN
                profile_code = 'rows' AND is_required AND median_value >= $floor_rows
                AND 100 * profile_value < $stop_below_pct * median_value THEN 'stops'
            WHEN
                compared_by = 'slice_volume' AND median_value >= $floor_rows
                AND 100 * profile_value < $stop_below_pct * median_value THEN 'holds'
            WHEN compared_by = 'slice_lag' AND profile_value > most_value + $lag_days THEN 'holds'
            WHEN
                compared_by = 'volume' AND ABS(profile_value - median_value) > $floor_rows
                AND 100 * ABS(profile_value - median_value) > $volume_pct * ABS(median_value) THEN 'departs'
            WHEN compared_by = 'count' AND profile_value > 2 * median_value + $floor_rows THEN 'departs'
            WHEN compared_by = 'lag' AND profile_value > median_value + $lag_days THEN 'departs'
            ELSE 'ok'
        END AS VARCHAR
    ) AS verdict_code
FROM beside
