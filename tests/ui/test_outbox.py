"""Outbox and approvals: who may act, from where; each action is done once, with its entry in the audit trail."""

import re

import psycopg
import pytest
from support.facts import DAY

BOOK = {"portfolio": "book"}
REASON = "asked the provider"
QUESTION = "0b9f6a52-6a5e-4f0e-9a3e-3f5f1b9f0001"
ACTIONS = {
    "/arrears/outbox-approval": {"approval_id": QUESTION, "answer": "approved"},
    "/arrears/outbox-settle": {"step_key": "a", "answer": "sent"},
    "/arrears/outbox-parked": {
        "business_date": DAY.isoformat(),
        "reason_code": "template_first_zh",
        "answer": "release",
    },
    "/arrears/outbox-stop": {},
    "/arrears/outbox-start": {"stop_id": "1"},
}


@pytest.fixture
def sql(warehouse_url):
    """Ask, or change, the warehouse."""
    with psycopg.connect(warehouse_url.replace("+psycopg", ""), autocommit=True) as connection:

        def ask(statement, *values):
            done = connection.execute(statement, values)
            return done.fetchall() if done.description else done.rowcount

        yield ask


@pytest.fixture
def rows(sql, deployment):  # noqa: ARG001  publishes the rows
    """One send of which nobody knows the outcome, one parked, one question; as they were before again for each test."""
    sql("SET session_replication_role = replica")  # the guard forbids what a test's beginning needs
    sql("DELETE FROM ops.outbox_stop")
    sql("UPDATE ops.notification SET state_code = 'unknown', attempt_no = 1, contacted_on = NULL WHERE step_key = 'a'")
    sql(
        "UPDATE ops.notification SET state_code = 'held', reason_code = 'template_first_zh', "
        "not_after_at = now() + interval '1 hour' WHERE step_key = 'b'"
    )
    sql("DELETE FROM ops.contact_approval")
    sql(
        "INSERT INTO ops.contact_approval (approval_id, portfolio, business_date, reasons, held, state_code, asked_at) "
        "VALUES (%s, 'book', %s, %s, 1, 'asked', now())",
        QUESTION,
        DAY,
        '[{"code": "volume", "what": "sms", "figure": "900", "usual": "120"}]',
    )
    sql("SET session_replication_role = origin")
    return lambda key: sql("SELECT state_code FROM ops.notification WHERE step_key = %s", key)[0][0]


def audit(sql):
    return sql("SELECT actor, action, reason FROM ops.audit_entry ORDER BY entry_no")


def token_of(client):
    page = client.get("/arrears/outbox", params=BOOK).text
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    return found[1] if found else ""


def post(client, path, *, token, headers=None, portfolio="book", **values):
    data = {"portfolio": portfolio, "form_token": token, "reason": REASON, **ACTIONS[path], **values}
    return client.post(path, data=data, headers=headers or {})


@pytest.mark.usefixtures("airflow_app")
def test_every_change_is_a_post_and_named_here():
    from arrears_ui.app import app

    assert {f"/arrears{route.path}" for route in app.routes if "POST" in route.methods} == set(ACTIONS)
    assert {method for route in app.routes for method in route.methods} == {"GET", "POST"}


@pytest.mark.parametrize("path", sorted(ACTIONS))
def test_viewer_nobody_and_stranger_are_refused_on_every_write(browser_of, rows, sql, path):
    before = (rows("a"), rows("b"), audit(sql))
    operators = token_of(browser_of("operator"))

    answers = {who: post(browser_of(who), path, token=operators).status_code for who in ("viewer", "stranger", None)}

    assert answers == {"viewer": 403, "stranger": 403, None: 401}
    assert (rows("a"), rows("b"), audit(sql)) == before
    assert sql("SELECT count(*) FROM ops.outbox_stop") == [(0,)]


@pytest.mark.parametrize("path", sorted(ACTIONS))
@pytest.mark.parametrize(
    "forged",
    [
        pytest.param({"token": ""}, id="no token"),
        pytest.param({"token": "IngiLg.aaaa.bbbb"}, id="a token that nobody signed"),
        pytest.param({"headers": {"origin": "https://elsewhere.example"}}, id="another site's form"),
        pytest.param({"headers": {"sec-fetch-site": "cross-site"}}, id="across sites"),
    ],
)
def test_forged_form_is_refused(browser_of, rows, sql, path, forged):
    operator = browser_of("operator")
    before = (rows("a"), rows("b"), audit(sql))

    answer = post(operator, path, **{"token": token_of(operator), **forged})

    assert answer.status_code == 403
    assert (rows("a"), rows("b"), audit(sql)) == before


def test_token_of_another_user_is_refused(browser_of, rows):
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from arrears_ui.access import form_token

    theirs = form_token(SimpleAuthManagerUser(username="somebody", role="admin"))

    assert post(browser_of("operator"), "/arrears/outbox-stop", token=theirs).status_code == 403
    assert rows("a") == "unknown"


def test_viewer_sees_the_rows_and_no_form(browser_of, rows):  # noqa: ARG001  the page needs them
    page = browser_of("viewer").get("/arrears/outbox", params=BOOK).text

    assert "case-a" in page
    assert 'method="post"' not in page


@pytest.mark.parametrize(
    ("answer", "state"), [("sent", "sent"), ("not-sent", "rejected_retryable"), ("give-up", "cancelled")]
)
def test_unknown_send_is_settled_once(browser_of, rows, sql, answer, state):
    operator = browser_of("operator")
    token = token_of(operator)

    first = post(operator, "/arrears/outbox-settle", token=token, answer=answer)
    second = post(operator, "/arrears/outbox-settle", token=token, answer=answer)

    assert (first.status_code, second.status_code) == (303, 404)
    assert rows("a") == state
    assert audit(sql)[-1] == ("airflow:operator", "outbox.settle", REASON)
    assert "Settled." in operator.get(f"/arrears/{first.headers['location']}").text


def test_send_of_another_portfolio_cannot_be_settled_from_here(browser_of, rows):
    operator = browser_of("operator")

    assert post(operator, "/arrears/outbox-settle", token=token_of(operator), portfolio="other").status_code == 404
    assert rows("a") == "unknown"


@pytest.mark.parametrize(("answer", "state"), [("release", "planned"), ("cancel", "cancelled")])
def test_parked_day_is_released_or_cancelled(browser_of, rows, sql, answer, state):
    operator = browser_of("operator")

    assert post(operator, "/arrears/outbox-parked", token=token_of(operator), answer=answer).status_code == 303

    assert rows("b") == state
    assert rows("a") == "unknown"
    assert audit(sql)[-1][:2] == ("airflow:operator", f"outbox.{answer}")


@pytest.fixture
def departing(sql, rows):
    """The parked row is held because the day's plan departs from its history."""
    sql("SET session_replication_role = replica")
    asked = "UPDATE ops.notification SET reason_code = 'plan_departs', approval_id = %s WHERE step_key = 'b'"
    sql(asked, QUESTION)
    sql("SET session_replication_role = origin")
    return rows


@pytest.mark.parametrize(("answer", "state"), [("approved", "planned"), ("refused", "expired")])
def test_plan_that_waits_for_approval_is_decided_once(browser_of, departing, sql, answer, state):
    operator = browser_of("operator")
    token = token_of(operator)
    page = operator.get("/arrears/outbox", params=BOOK).text

    first = post(operator, "/arrears/outbox-approval", token=token, answer=answer)
    entries = len(audit(sql))
    second = post(operator, "/arrears/outbox-approval", token=token, answer="approved")

    assert "Contacts planned" in page
    assert ">900<" in page
    assert (first.status_code, second.status_code) == (303, 404)
    assert departing("b") == state
    assert audit(sql)[-1] == ("airflow:operator", f"contact_approval.{answer}", REASON)
    assert len(audit(sql)) == entries
    assert sql("SELECT state_code, decided_by FROM ops.contact_approval") == [(answer, "airflow:operator")]


def test_question_of_another_portfolio_cannot_be_answered_from_here(browser_of, departing):
    operator = browser_of("operator")

    assert post(operator, "/arrears/outbox-approval", token=token_of(operator), portfolio="other").status_code == 404
    assert departing("b") == "held"


def test_plan_that_waits_for_approval_is_not_released_beside_its_question(browser_of, departing):
    operator = browser_of("operator")
    token = token_of(operator)

    answer = post(operator, "/arrears/outbox-parked", token=token, reason_code="plan_departs")

    assert answer.status_code == 409
    assert departing("b") == "held"


def test_stop_holds_until_somebody_lets_go_on(browser_of, rows, sql):  # noqa: ARG001  a clean beginning
    operator = browser_of("operator")
    token = token_of(operator)

    post(operator, "/arrears/outbox-stop", token=token)
    [(number, scope, value)] = sql(
        "SELECT stop_id, scope_code, scope_value FROM ops.outbox_stop WHERE ended_at IS NULL"
    )
    stopped = operator.get("/arrears/outbox", params=BOOK).text
    post(operator, "/arrears/outbox-start", token=token, stop_id=str(number))

    assert (scope, value) == ("portfolio", "book")
    assert "Sending is stopped: portfolio book" in stopped
    assert sql("SELECT count(*) FROM ops.outbox_stop WHERE ended_at IS NULL") == [(0,)]
    assert [action for _, action, _ in audit(sql)[-2:]] == ["outbox.stop", "outbox.start"]


def test_stop_of_everything_is_not_lifted_by_who_may_change_one_portfolio(browser_of, rows, sql, monkeypatch):  # noqa: ARG001  as above
    sql("INSERT INTO ops.outbox_stop (scope_code, scope_value, reason, started_by) VALUES ('all', '', 'fire', 'x')")
    [(number,)] = sql("SELECT stop_id FROM ops.outbox_stop")
    stranger = browser_of("stranger")
    page = stranger.get("/arrears/outbox", params={"portfolio": "other"}).text
    token = re.search(r'name="form_token" value="([^"]+)"', page)[1]

    answer = post(stranger, "/arrears/outbox-start", token=token, portfolio="other", stop_id=str(number))

    assert answer.status_code == 403
    assert sql("SELECT count(*) FROM ops.outbox_stop WHERE ended_at IS NULL") == [(1,)]


def test_action_without_a_reason_is_not_understood(browser_of, rows):  # noqa: ARG001  as above
    operator = browser_of("operator")

    assert post(operator, "/arrears/outbox-stop", token=token_of(operator), reason="").status_code == 422
