"""Worklists: a team sees its own rows, a token stands for a number, no cell is a formula, an opened day is history."""

import csv
from datetime import UTC, datetime, timedelta

import pytest
from arrears.jobs import publish as publish_job
from arrears.jobs.publish import publish
from arrears.rules.departure import Departure
from arrears.warehouse import outbox
from arrears.warehouse.approval import decide
from arrears.warehouse.connection import transaction
from arrears.warehouse.tables import MART, STG
from arrears.warehouse.worklist import export_worklist, write_csv
from pydantic import SecretStr
from sqlalchemy import text
from support.books import make_book, put
from support.desk import rows
from support.facts import DAY, NOON, UNTIL, put_day
from support.formulas import FORMULAS

OPENS = UNTIL - timedelta(hours=5)
BEFORE, AFTER = OPENS - timedelta(hours=2), OPENS + timedelta(hours=1)


@pytest.fixture(autouse=True)
def without_second_gate(monkeypatch):
    monkeypatch.setattr(publish_job, "decide_on_staged", lambda *_: None)


@pytest.fixture
def settings(tmp_path, warehouse_url):
    yield make_book(tmp_path).model_copy(update={"warehouse_url": SecretStr(warehouse_url)})
    with transaction(warehouse_url) as connection:
        tables = [*MART.values(), *STG.values(), "ops.publish_ledger", "ops.data_freshness"]
        tables += ["work.agent_worklist", "work.team_member", "vault.dial_token"]
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table in ("ops.contact_approval", "ops.notification_event", "ops.notification"):
            connection.execute(text(f"DELETE FROM {table}"))
        connection.execute(text(f"TRUNCATE {', '.join(map(str, tables))} CASCADE"))


def put_floor(settings, *, reason="kept with A1", amount=100):
    """Two cases of two agents of two teams, a call planned for the first; one more waits."""
    put_day(settings, planned=(), amount=amount)
    cases = [
        {"case_id": name, "currency": "CNY", "state_code": "in_treatment", "worked_minor": 500}
        for name in ("c1", "c2", "c3")
    ]
    put(settings, "core__case_daily", DAY, cases)
    rows = [
        {"case_id": "c1", "agent_id": "A1", "team_id": "north", "is_assigned": True, "reason": reason, "work_rank": 1},
        {"case_id": "c2", "agent_id": "A2", "team_id": "south", "is_assigned": True, "reason": "=1+1", "work_rank": 1},
        {"case_id": "c3", "is_assigned": False, "reason_code": "overflow_capacity"},
    ]
    put(settings, "out__assignment_daily", DAY, rows)
    step = {
        "case_id": "c1",
        "step_key": "k1",
        "state_code": "planned",
        "channel_code": "call",
        "contact_point_id": "m-1",
        "not_before_at": OPENS,
        "not_after_at": UNTIL,
    }
    put(settings, "out__contact_plan_daily", DAY, [step])


def run(settings, now):
    return publish("book", DAY, is_backfill=False, now=now, settings=settings)


def listed(settings):
    with transaction(settings.warehouse) as connection:
        return connection.execute(text("SELECT case_id, team_id, reason, dial_token FROM work.agent_worklist")).all()


def test_publication_lists_what_people_work_with_a_token_for_the_number(settings):
    put_floor(settings)

    run(settings, BEFORE)

    found = {row.case_id: row for row in listed(settings)}
    assert set(found) == {"c1", "c2"}
    assert (found["c1"].dial_token is not None, found["c2"].dial_token) == (True, None)
    with transaction(settings.warehouse) as connection:
        tokens = connection.execute(text("SELECT dial_token, contact_point_id FROM vault.dial_token")).all()
    assert tokens == [(found["c1"].dial_token, "m-1")]


def test_each_team_sees_its_own_rows_and_no_number(settings):
    put_floor(settings)
    run(settings, BEFORE)
    with transaction(settings.warehouse) as connection:
        connection.execute(text("DROP ROLE IF EXISTS north_tool"))
        connection.execute(text("CREATE ROLE north_tool IN ROLE arrears_agent"))
        connection.execute(text("INSERT INTO work.team_member VALUES ('north_tool', 'north')"))

    with transaction(settings.warehouse) as connection:
        connection.execute(text("SET LOCAL ROLE north_tool"))
        seen = connection.execute(text("SELECT case_id FROM work.agent_worklist")).scalars().all()
        teams = connection.execute(text("SELECT team_id FROM work.team_member")).scalars().all()

    with transaction(settings.warehouse) as connection:
        may = connection.execute(
            text(
                "SELECT has_table_privilege('north_tool', 'vault.dial_token', 'SELECT'), "
                "has_schema_privilege('north_tool', 'mart', 'USAGE')"
            )
        ).one()
    assert (seen, teams) == (["c1"], ["north"])
    assert tuple(may) == (False, False)


def test_day_that_has_opened_is_history_and_its_measures_are_restated(settings):
    put_floor(settings)
    run(settings, BEFORE)
    before = listed(settings)
    put_floor(settings, reason="kept with A9", amount=700)

    done = run(settings, AFTER)

    assert done["published"]
    assert listed(settings) == before
    with transaction(settings.warehouse) as connection:
        reasons = connection.execute(text("SELECT reason FROM mart.fct_assignment_daily WHERE case_id = 'c1'")).scalar()
        amounts = connection.execute(text("SELECT DISTINCT past_due_minor FROM mart.fct_loan_daily")).scalars().all()
    assert (reasons, amounts) == ("kept with A1", [700])


def test_day_that_has_not_opened_is_listed_anew(settings):
    put_floor(settings)
    run(settings, BEFORE)
    put_floor(settings, reason="kept with A9")

    run(settings, BEFORE)

    assert {row.reason for row in listed(settings)} == {"kept with A9", "=1+1"}
    with transaction(settings.warehouse) as connection:
        assert connection.execute(text("SELECT count(*) FROM vault.dial_token")).scalar() == 1


def told(settings):
    """What the agent of the case with a call is told, and whether the dialler would dial."""
    with transaction(settings.warehouse) as connection:
        row = connection.execute(
            text(
                "SELECT contact_state_code, channel_code, not_after_at IS NOT NULL, dial_token IS NOT NULL, "
                "EXISTS (SELECT FROM vault.dial_token AS t WHERE t.dial_token = one.dial_token), team_id "
                "FROM work.agent_worklist AS one WHERE case_id = 'c1'"
            )
        ).one()
        orphans = connection.execute(
            text(
                "SELECT count(*) FROM vault.dial_token WHERE dial_token NOT IN "
                "(SELECT dial_token FROM work.agent_worklist WHERE dial_token IS NOT NULL)"
            )
        ).scalar_one()
    assert orphans == 0
    return tuple(row)


TOLD_TO_CALL = ("planned", "call", True, True, True, "north")


def told_nothing(state):
    return (state, None, False, False, False, "north")


def test_what_is_held_is_nobody_s_to_call_until_it_is_approved(settings, monkeypatch):
    put_floor(settings)
    monkeypatch.setattr(publish_job, "departures_of", lambda _: [Departure("volume", "call", "900", "50 to 200")])
    run(settings, BEFORE)
    (held,) = rows(settings, "SELECT approval_id FROM ops.contact_approval")
    future = datetime.now(UTC) + timedelta(hours=5)
    move(settings, f"not_before_at = '{OPENS}', not_after_at = '{future}'")

    before = told(settings)
    decide(settings.warehouse, held[0], state_code="approved", decided_by="S1")

    assert before == told_nothing("held")
    assert told(settings) == TOLD_TO_CALL


def test_what_nobody_approved_stays_untold(settings, monkeypatch):
    put_floor(settings)
    monkeypatch.setattr(publish_job, "departures_of", lambda _: [Departure("volume", "call", "900", "50 to 200")])
    run(settings, BEFORE)
    (held,) = rows(settings, "SELECT approval_id FROM ops.contact_approval")

    decide(settings.warehouse, held[0], state_code="timed_out", decided_by=None)

    assert told(settings) == told_nothing("expired")


def test_call_that_is_no_longer_allowed_leaves_the_list_at_once(settings):
    put_floor(settings)
    run(settings, BEFORE)
    before = told(settings)

    with transaction(settings.warehouse) as connection:
        outbox.suppress(connection, outbox.Scope(step_key="k1"), actor="feedback:desk", reason="opt_out")

    assert (before, told(settings)) == (TOLD_TO_CALL, told_nothing("suppressed"))


def test_call_that_goes_on_at_another_point_dials_that_point(settings):
    put_floor(settings)
    run(settings, BEFORE)
    with transaction(settings.warehouse) as connection:
        connection.execute(text("UPDATE ops.notification SET state_code = 'claimed'"))
    first = told(settings)

    move(settings, "state_code = 'rejected_retryable', contact_point_id = 'm-2'")
    second = told(settings)
    dialled = rows(settings, "SELECT contact_point_id FROM vault.dial_token")
    move(settings, "channel_code = 'sms'")

    assert first == ("claimed", *TOLD_TO_CALL[1:])
    assert second == ("rejected_retryable", *TOLD_TO_CALL[1:])
    assert dialled == [("m-2",)]
    assert told(settings) == ("rejected_retryable", "sms", True, False, False, "north")


def test_publication_made_again_keeps_untold_what_was_suppressed(settings):
    put_floor(settings)
    run(settings, BEFORE)
    with transaction(settings.warehouse) as connection:
        outbox.suppress(connection, outbox.Scope(step_key="k1"), actor="feedback:desk", reason="opt_out")
    put_floor(settings, reason="kept with A9")

    run(settings, BEFORE)

    assert told(settings) == told_nothing("suppressed")


def move(settings, change):
    with transaction(settings.warehouse) as connection:
        connection.execute(text(f"UPDATE ops.notification SET {change}"))


def test_day_nobody_may_work_has_no_list(settings):
    put_floor(settings)

    run(settings, NOON + timedelta(days=3))

    assert listed(settings) == []


def test_export_holds_no_formula(settings, tmp_path):
    put_floor(settings)
    run(settings, BEFORE)

    with transaction(settings.warehouse) as connection:
        count = export_worklist(connection, "book", DAY, "south", tmp_path / "list.csv")

    with (tmp_path / "list.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert (count, [row["case_id"] for row in rows]) == (1, ["c2"])
    assert rows[0]["reason"] == "'=1+1"
    assert rows[0]["past_due_minor"] == "500"


def test_no_cell_is_a_formula_and_numbers_are_not_damaged(tmp_path):
    write_csv(
        tmp_path / "list.csv", ["text", "minor", "none"], [{"text": one, "minor": -5, "none": None} for one in FORMULAS]
    )

    with (tmp_path / "list.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"][:1] for row in rows] == ["'"] * len(FORMULAS)
    assert {(row["minor"], row["none"]) for row in rows} == {("-5", "")}
