-- Grain: borrower whose last case was cured or relieved and is still watched; the case may be open again.
-- Rules: ARR-CAS-05 (re-opening). Inputs: core__case_daily, previous__watch.
-- Parameters: reopened_from (endings), watch_days.
WITH ending AS (
    SELECT
        case_id,
        borrower_id,
        opened_on,
        closed_on,
        episodes,
        close_reason_code,
        closed_on + $watch_days::INTEGER AS watch_until_on
    FROM core__case_daily
    WHERE LIST_CONTAINS($reopened_from, close_reason_code)
), watched AS (
    SELECT case_id, borrower_id, opened_on, closed_on, episodes, close_reason_code, watch_until_on
    FROM ending
    UNION ALL
    SELECT
        earlier.case_id,
        earlier.borrower_id,
        earlier.opened_on,
        earlier.closed_on,
        earlier.episodes,
        earlier.close_reason_code,
        earlier.watch_until_on
    FROM previous__watch AS earlier
    LEFT JOIN ending ON earlier.borrower_id = ending.borrower_id
    WHERE ending.borrower_id IS NULL AND earlier.watch_until_on >= $business_date
)
SELECT
    case_id::VARCHAR AS case_id,
    borrower_id::VARCHAR AS borrower_id,
    opened_on::DATE AS opened_on,
    closed_on::DATE AS closed_on,
    episodes::BIGINT AS episodes,
    close_reason_code::VARCHAR AS close_reason_code,
    watch_until_on::DATE AS watch_until_on
FROM watched
