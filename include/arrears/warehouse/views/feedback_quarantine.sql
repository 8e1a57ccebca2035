-- Reported rows that were not taken in, by file, line and column; their values are in the vault.
-- Grain: one row per portfolio, source, delivery, row and column.
-- delivery_name: File name, SELECT, or the request's own identifier
-- Of: ops.feedback_rejected
SELECT
    portfolio,
    source_code,
    delivery_id,
    name AS delivery_name,
    row_number,
    column_name,
    error_code,
    expected,
    received_at,
    settled_at
FROM ops.feedback_rejected
