"""A risk to life stops everything for the person, leaves no agent with the case, and rings until it is taken over."""

from datetime import UTC, datetime, timedelta

import pytest
from arrears.errors import SupervisorCallError
from arrears.feedback.intake import take_in
from arrears.jobs.watch import supervisor_calls, watch
from arrears.lake import Lake
from arrears.orchestration.callbacks import call_supervisor
from arrears.warehouse.connection import transaction
from arrears.warehouse.partitions import ensure_partitions
from arrears.warehouse.worklist import fill_worklist
from sqlalchemy import text
from support.desk import AT, delivery, forget, make_desk, plan, rows
from support.listener import listening
from support.warehouse import put_row

NOW = datetime.now(UTC)
TODAY = NOW.date()
RISK = {"kind": "flag", "flag_code": "self_harm_risk", "ref": "r1", "occurred_at": AT, "party_id": "P1"}
TAKEN_OVER = {
    "kind": "override",
    "ref": "t1",
    "occurred_at": AT,
    "party_id": "P1",
    "author_id": "S1",
    "reason_code": "spoken_with",
    "action_code": "take_over",
}
MART = ("mart.fct_case_daily", "mart.fct_assignment_daily", "work.agent_worklist", "ops.publish_ledger")


@pytest.fixture(scope="module")
def made(tmp_path_factory, warehouse_url):
    ensure_partitions(warehouse_url, TODAY)
    return make_desk(tmp_path_factory.mktemp("desk"), warehouse_url)


@pytest.fixture
def desk(made, warehouse_url):
    yield made
    forget(warehouse_url)
    with transaction(warehouse_url) as connection:
        for table in MART:
            connection.execute(text(f"DELETE FROM {table}"))


def take(desk, *reports, name="one"):
    return take_in(desk, Lake(desk.lake_url), delivery(*reports, name=name))


def put(desk, table, **values):
    with transaction(desk.warehouse) as connection:
        put_row(connection, table, **values)


def put_floor(desk, **reason):
    day = {"portfolio": "book", "business_date": TODAY}
    for case, party in (("K1", "P1"), ("K2", "P2")):
        put(desk, "mart.fct_case_daily", **day, case_id=case, borrower_id=party)
        put(desk, "work.agent_worklist", **day, case_id=case, team_id="north", agent_id="A1")
    put(desk, "mart.fct_assignment_daily", **day, case_id="K1", **reason)


def listed(desk):
    return rows(desk, "SELECT case_id, team_id, agent_id FROM work.agent_worklist ORDER BY 1")


def rung(desk):
    return [(alarm.code, alarm.portfolio) for alarm in supervisor_calls(desk)]


def test_report_leaves_no_contact_and_no_agent_with_the_case(desk, warehouse_url):
    put_floor(desk)
    plan(warehouse_url, ("a", "P1", ["L1"], "C1", "sms"), ("b", "P2", ["L3"], "C2", "sms"))

    take(desk, RISK)

    assert listed(desk) == [("K1", "", None), ("K2", "north", "A1")]
    assert rows(desk, "SELECT step_key, state_code FROM ops.notification ORDER BY 1") == [
        ("a", "suppressed"),
        ("b", "planned"),
    ]


@pytest.mark.parametrize(
    ("change", "known"),
    [
        pytest.param({}, True, id="known"),
        pytest.param({"loan_ids": ["L1"]}, True, id="told of a loan"),
        pytest.param({"ends_at": (NOW - timedelta(hours=1)).isoformat()}, False, id="over"),
    ],
)
def test_publication_gives_no_agent_the_case_of_a_risk_known_since_the_cut(desk, change, known):
    put_floor(desk, is_assigned=True, agent_id="A1", team_id="north", reason_code="kept_agent", reason="kept")
    take(desk, {**RISK, **change})

    with transaction(desk.warehouse) as connection:
        fill_worklist(connection, "book", TODAY)

    assert listed(desk) == [("K1", "", None) if known else ("K1", "north", "A1")]


def test_risk_told_of_one_loan_stops_what_is_said_of_the_others(desk, warehouse_url):
    plan(warehouse_url, ("a", "P1", ["L1"], "C1", "sms"), ("b", "P1", ["L2"], "C1", "email"))

    take(desk, {**RISK, "loan_ids": ["L1"]})

    assert rows(desk, "SELECT state_code FROM ops.notification") == [("suppressed",)] * 2
    assert rows(desk, "SELECT party_id, loan_id FROM ops.feedback_flag") == [("P1", None)]


def test_it_rings_until_a_supervisor_has_taken_over(desk):
    quiet = rung(desk)
    take(desk, RISK)
    ringing = rung(desk)
    by_watch = [alarm for alarm in watch(desk, NOW) if alarm.code == SupervisorCallError.code]

    take(desk, TAKEN_OVER, name="two")

    assert (quiet, ringing, rung(desk)) == ([], [("ARR-FBK-009", "book")], [])
    assert by_watch[0].runbook == "docs/runbooks/ARR-FBK-009.md"
    assert "1 people at risk" in by_watch[0].found
    assert "P1" not in by_watch[0].found


@pytest.fixture
def listener():
    """What was posted to a webhook of whoever is on call, and its address."""
    with listening() as heard:
        yield heard


def test_every_intake_rings_again_until_it_is_taken_over(desk, listener, monkeypatch):
    heard, address = listener
    monkeypatch.setenv("ARREARS_WAREHOUSE_URL", desk.warehouse)
    monkeypatch.setenv("ARREARS_WATCH_WEBHOOK", address)
    monkeypatch.setenv("ARREARS_ALERT_CONNECTION", "")
    take(desk, RISK)

    rings = [call_supervisor(), call_supervisor()]
    take(desk, TAKEN_OVER, name="two")

    assert (rings, call_supervisor()) == ([1, 1], 0)
    assert [[alarm["code"] for alarm in said["alarms"]] for said in heard] == [["ARR-FBK-009"]] * 2


def test_taking_over_somebody_else_stops_no_alarm(desk):
    take(desk, RISK, {**TAKEN_OVER, "party_id": "P2"})

    assert rung(desk) == [("ARR-FBK-009", "book")]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"is_withdrawn": True}, id="withdrawn"),
        pytest.param({"ends_at": (NOW - timedelta(hours=1)).isoformat()}, id="over"),
    ],
)
def test_risk_that_is_no_more_rings_no_more(desk, change):
    take(desk, RISK, {**RISK, "revision": 2, **change})

    assert rung(desk) == []


def test_risk_that_the_ledger_tells_rings_once_its_day_is_published(desk):
    put_floor(desk, reason_code="supervisor")
    quiet = rung(desk)
    put(desk, "ops.publish_ledger", portfolio="book", business_date=TODAY, published_at=NOW)

    ringing = rung(desk)
    take(desk, TAKEN_OVER)

    assert (quiet, ringing, rung(desk)) == ([], [("ARR-FBK-009", "book")], [])
