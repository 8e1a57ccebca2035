"""An outbox with something to decide: a send that nobody knows about, parked messages, and a plan that departs."""

import uuid

import psycopg

STEP = (
    "step_key, portfolio, case_id, borrower_id, person_id, step_id, channel_code, contact_point_id, "
    "template_code, language, not_before_at, purpose_code, strategy, currency"
)
# The guard forbids to begin anywhere but where a plan begins; no page is asked to do this. Steps of earlier days, too:
# on some weekdays a small book plans hardly any.
PLANT = f"""
INSERT INTO ops.notification ({STEP}, business_date, not_after_at, state_code, reason_code, attempt_no, changed_by)
SELECT
    {STEP}, %(day)s, now() + interval '8 hours',
    CASE ordinal WHEN 1 THEN 'unknown' ELSE 'held' END,
    CASE WHEN ordinal = 1 THEN 'claim_abandoned' WHEN ordinal < 5 THEN 'template_first_zh' ELSE 'plan_departs' END,
    CASE ordinal WHEN 1 THEN 1 ELSE 0 END,
    CASE WHEN ordinal < 5 THEN 'dispatcher' ELSE 'publish' END
FROM (
    SELECT *, row_number() OVER (ORDER BY step_key) AS ordinal
    FROM (
        SELECT DISTINCT ON (person_id) *
        FROM mart.fct_contact_plan_daily
        WHERE portfolio = %(portfolio)s AND business_date <= %(day)s AND state_code = 'planned'
        ORDER BY person_id, business_date DESC, step_key
    ) AS latest
) AS planned
WHERE ordinal <= 20
ON CONFLICT (step_key) DO UPDATE SET
    business_date = excluded.business_date, state_code = excluded.state_code, reason_code = excluded.reason_code,
    attempt_no = excluded.attempt_no, changed_by = excluded.changed_by, not_after_at = excluded.not_after_at
"""
ASK = """
INSERT INTO ops.contact_approval (approval_id, portfolio, business_date, reasons, held, state_code, asked_at)
SELECT %(approval)s, %(portfolio)s, %(day)s, %(reasons)s, count(*), 'asked', now()
FROM ops.notification
WHERE portfolio = %(portfolio)s AND business_date = %(day)s AND reason_code = 'plan_departs'
"""
ABOUT = """
UPDATE ops.notification SET approval_id = %(approval)s
WHERE portfolio = %(portfolio)s AND business_date = %(day)s AND reason_code = 'plan_departs'
"""
REASONS = '[{"code": "volume", "what": "sms", "figure": "38", "usual": "12"}]'


def leave_unsettled(url, portfolio, day):
    """Plant all three in the outbox of a published day."""
    of_day = {"portfolio": portfolio, "day": day, "approval": uuid.uuid4(), "reasons": REASONS}
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        assert connection.execute(PLANT, of_day).rowcount >= 6
        connection.execute(ASK, of_day)
        connection.execute(ABOUT, of_day)
