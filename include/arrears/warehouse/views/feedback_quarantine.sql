-- Reported rows that were not taken in, by file, line and column; their values are in the vault.
-- Grain: one row per portfolio, source, delivery, row and column.
-- Of: ops.feedback_rejected
SELECT
    portfolio,
    source_code,
    delivery_id,
    name,
    row_number,
    column_name,
    error_code,
    expected,
    received_at,
    settled_at
FROM ops.feedback_rejected
