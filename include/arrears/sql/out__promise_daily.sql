-- Grain: agent_id x channel_code x bucket x product_code x currency: promises whose last day closed since the day
-- compared with, and what became of them as known now. Open and cancelled ones are not due.
-- Rules: ARR-PTP-03. Inputs: core__promise_daily. Parameters: closing_date, compared_close (NULL on the first day).
WITH due AS (
    SELECT *
    FROM core__promise_daily
    WHERE
        state_code IN ('kept', 'part_kept', 'broken')
        AND deadline_on <= $closing_date
        AND deadline_on > COALESCE($compared_close::DATE, $closing_date::DATE - 1)
)
SELECT
    COALESCE(agent_id, '')::VARCHAR AS agent_id,
    COALESCE(channel_code, '')::VARCHAR AS channel_code,
    COALESCE(bucket, '')::VARCHAR AS bucket,
    product_code::VARCHAR AS product_code,
    currency::VARCHAR AS currency,
    COUNT(*)::BIGINT AS due_promises,
    COUNT(*) FILTER (WHERE state_code = 'kept')::BIGINT AS kept_promises,
    COUNT(*) FILTER (WHERE state_code = 'part_kept')::BIGINT AS part_kept_promises,
    COUNT(*) FILTER (WHERE state_code = 'broken')::BIGINT AS broken_promises,
    SUM(amount_minor)::BIGINT AS due_minor,
    COALESCE(SUM(amount_minor) FILTER (WHERE state_code = 'kept'), 0)::BIGINT AS kept_minor,
    SUM(CASE state_code WHEN 'kept' THEN amount_minor ELSE matched_minor END)::BIGINT AS paid_minor
FROM due
GROUP BY ALL
