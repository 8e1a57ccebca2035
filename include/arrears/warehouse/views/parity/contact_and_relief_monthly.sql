-- Whether groups of people with a case are contacted and relieved alike. A difference is a question, not yet an answer:
-- ask whether buckets and products explain it. Figures of fewer than twenty people are hidden; nobody is named.
-- Grain: one row per portfolio, month, attribute and group; groups without a case that month are left out.
-- Of: vault.group_member
-- month_on: First day of the month
-- people: Parties of the group with an open case in the month
-- case_days: Their days with an open case
-- contacts: Collection contacts and reminders sent to them; NULL: fewer than twenty people
-- contacts_per_100_case_days: Contacts by days with a case; NULL as above
-- relief_people: Of them, those with a plan or a hardship hold; NULL as above
-- relief_ratio: Relieved people by people; NULL as above
-- contact_parity: The group's contacts by case days over those of everybody under the attribute; NULL as above
-- relief_parity: The group's relief ratio over that of everybody under the attribute; NULL as above
-- alarm_code: pressed (more than 1.25 times the contacts), unrelieved (less than 0.8 of the relief), both, or even
WITH of_day AS (
    SELECT
        standing.portfolio,
        DATE_TRUNC('month', standing.business_date)::DATE AS month_on,
        standing.borrower_id AS party_id,
        COUNT(*) AS case_days,
        BOOL_OR(standing.state_code = 'plan' OR standing.hold_code = 'hardship') AS is_relieved
    FROM mart.fct_case_daily AS standing
    WHERE standing.closed_on IS NULL
    GROUP BY standing.portfolio, month_on, standing.borrower_id
), sent AS (
    SELECT
        portfolio,
        DATE_TRUNC('month', business_date)::DATE AS month_on,
        borrower_id AS party_id,
        COUNT(*) AS contacts
    FROM ops.notification
    WHERE state_code IN ('sent', 'unknown') AND purpose_code <> 'service'
    GROUP BY portfolio, month_on, borrower_id
), of_group AS (
    SELECT
        of_day.portfolio,
        of_day.month_on,
        member.attribute_code,
        member.group_code,
        COUNT(*) AS people,
        SUM(of_day.case_days)::BIGINT AS case_days,
        COALESCE(SUM(sent.contacts), 0)::BIGINT AS contacts,
        COUNT(*) FILTER (WHERE of_day.is_relieved) AS relief_people
    FROM of_day
    INNER JOIN vault.group_member AS member
        ON of_day.portfolio = member.portfolio AND of_day.party_id = member.party_id
    LEFT JOIN sent
        ON of_day.portfolio = sent.portfolio AND of_day.month_on = sent.month_on AND of_day.party_id = sent.party_id
    GROUP BY of_day.portfolio, of_day.month_on, member.attribute_code, member.group_code
), compared AS (
    SELECT
        *,
        people >= 20 AS is_shown,
        contacts::NUMERIC / case_days AS contact_rate,
        relief_people::NUMERIC / people AS relief_rate,
        (SUM(contacts) OVER everybody)::NUMERIC / SUM(case_days) OVER everybody AS usual_contact_rate,
        (SUM(relief_people) OVER everybody)::NUMERIC / SUM(people) OVER everybody AS usual_relief_rate
    FROM of_group
    WINDOW everybody AS (PARTITION BY portfolio, month_on, attribute_code)
), shown AS (
    SELECT
        *,
        CASE WHEN is_shown THEN ROUND(contact_rate / NULLIF(usual_contact_rate, 0), 4) END AS contact_parity,
        CASE WHEN is_shown THEN ROUND(relief_rate / NULLIF(usual_relief_rate, 0), 4) END AS relief_parity
    FROM compared
)
SELECT
    portfolio,
    month_on,
    attribute_code,
    group_code,
    people,
    case_days,
    CASE WHEN is_shown THEN contacts END AS contacts,
    CASE WHEN is_shown THEN ROUND(100 * contact_rate, 4) END AS contacts_per_100_case_days,
    CASE WHEN is_shown THEN relief_people END AS relief_people,
    CASE WHEN is_shown THEN ROUND(relief_rate, 4) END AS relief_ratio,
    contact_parity,
    relief_parity,
    CASE
        WHEN contact_parity > 1.25 AND relief_parity < 0.8 THEN 'both'
        WHEN contact_parity > 1.25 THEN 'pressed'
        WHEN relief_parity < 0.8 THEN 'unrelieved'
        WHEN is_shown THEN 'even'
    END AS alarm_code
FROM shown
