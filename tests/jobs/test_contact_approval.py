"""A plan that departs from its history is held until a person decides; the decision is taken once, and audited."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from arrears.errors import ApprovalAnswerMissingError, ApprovalUnknownError
from arrears.jobs import publish as publish_job
from arrears.jobs.contact_approval import question, settle
from arrears.jobs.publish import publish
from arrears.rules.departure import Departure
from arrears.warehouse.connection import transaction
from pydantic import SecretStr
from sqlalchemy import text
from support.books import make_book
from support.desk import rows
from support.facts import DAY, put_day

NOW = datetime.now(UTC)
APPROVE = {"chosen_options": ["Approve"], "responded_by_user": {"id": "7", "name": "supervisor"}}
REJECT = {**APPROVE, "chosen_options": ["Reject"]}
NOBODY = {"chosen_options": ["Reject"], "responded_by_user": None}


@pytest.fixture
def settings(tmp_path, warehouse_url, monkeypatch):
    """A book whose plan of the day departs, published and held."""
    monkeypatch.setattr(publish_job, "decide_on_staged", lambda *_: None)
    monkeypatch.setattr(publish_job, "is_current_day", lambda *_: True)
    monkeypatch.setattr(publish_job, "departures_of", lambda _: [Departure("volume", "sms", "900", "50 to 200")])
    with transaction(warehouse_url) as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table in ("ops.contact_approval", "ops.notification_event", "ops.notification", "ops.publish_ledger"):
            connection.execute(text(f"DELETE FROM {table}"))
    made = make_book(tmp_path).model_copy(update={"warehouse_url": SecretStr(warehouse_url)})
    put_day(made, planned=("a", "b"), not_after=NOW + timedelta(hours=5))
    return made


def states(settings):
    return rows(settings, "SELECT step_key, state_code, reason_code, changed_by FROM ops.notification ORDER BY 1")


def held(settings):
    result = publish("book", DAY, is_backfill=False, now=NOW, settings=settings)
    assert (result["released_contacts"], result["held_because"]) == (2, ["volume"])
    return question(result["approval_id"], settings=settings)


def test_departing_plan_is_published_as_held_with_its_question(settings):
    asked = held(settings)

    assert [row[1:3] for row in states(settings)] == [("held", "plan_departs")] * 2
    assert asked["subject"] == f"Send 2 contacts of book on {DAY}?"
    assert "| contacts planned by sms | 900 | 50 to 200 |" in asked["body"]


def test_approved_contacts_are_planned_and_the_author_is_audited(settings):
    asked = held(settings)

    first = settle(asked["approval_id"], APPROVE, settings=settings)
    second = settle(asked["approval_id"], REJECT, settings=settings)

    assert first == second == {"state": "approved", "moved": 2, "decided_by": "supervisor"}
    assert [row[1:] for row in states(settings)] == [("planned", "approved", "supervisor")] * 2
    assert question(asked["approval_id"], settings=settings) is None
    (entry,) = rows(settings, f"SELECT actor, action FROM ops.audit_entry WHERE subject LIKE '%{asked['approval_id']}'")
    assert entry == ("supervisor", "contact_approval.approved")


@pytest.mark.parametrize(
    ("answer", "state", "author"),
    [
        pytest.param(REJECT, "refused", "supervisor", id="refused"),
        pytest.param(NOBODY, "timed_out", "contact_approval", id="nobody_answered"),
    ],
)
def test_contacts_that_are_not_approved_expire_unsent(settings, answer, state, author):
    asked = held(settings)

    assert settle(asked["approval_id"], answer, settings=settings)["state"] == state

    assert [row[1:] for row in states(settings)] == [("expired", f"approval_{state}", author)] * 2


def test_answer_that_is_not_stored_decides_nothing(settings):
    asked = held(settings)

    with pytest.raises(ApprovalAnswerMissingError, match="ARR-APR-002"):
        settle(asked["approval_id"], None, settings=settings)

    assert [row[1] for row in states(settings)] == ["held"] * 2
    assert settle(asked["approval_id"], APPROVE, settings=settings)["state"] == "approved"


def test_approval_after_the_windows_releases_nothing(settings):
    asked = held(settings)
    with transaction(settings.warehouse) as connection:
        connection.execute(text("UPDATE ops.notification SET not_after_at = now() - interval '1 minute'"))

    settle(asked["approval_id"], APPROVE, settings=settings)

    assert [row[1] for row in states(settings)] == ["expired"] * 2


def test_rows_held_for_another_reason_stay_held(settings):
    asked = held(settings)
    with transaction(settings.warehouse) as connection:
        connection.execute(text("UPDATE ops.notification SET reason_code = 'by_hand' WHERE step_key = 'a'"))

    settle(asked["approval_id"], APPROVE, settings=settings)

    assert [row[:2] for row in states(settings)] == [("a", "held"), ("b", "planned")]


def test_answer_moves_what_it_was_asked_about_and_no_other_publication_s_rows(settings):
    """A correction the same day plans fifty contacts more, for other reasons: whoever was asked about two said two."""
    later = NOW + timedelta(hours=6)  # the first window opens in an hour: until then a correction changes the plan
    put_day(settings, planned=("a", "b"), not_after=later)
    first = held(settings)
    put_day(settings, planned=("a", "b", *(f"n{number:02}" for number in range(50))), not_after=later)
    corrected = publish("book", DAY, is_backfill=False, now=NOW, settings=settings)
    second = question(corrected["approval_id"], settings=settings)
    cleared = question(first["approval_id"], settings=settings)  # the first run's task `ask`, made again

    assert cleared == first != second
    moved = [settle(first["approval_id"], APPROVE, settings=settings)["moved"]]
    between = [row[1] for row in states(settings)]
    moved += [settle(second["approval_id"], NOBODY, settings=settings)["moved"]]

    assert moved == [2, 50]
    assert between == ["planned"] * 2 + ["held"] * 50
    assert [row[1] for row in states(settings)] == ["planned"] * 2 + ["expired"] * 50


def test_publishing_again_asks_no_second_time(settings):
    asked = held(settings)

    again = publish("book", DAY, is_backfill=False, now=NOW, settings=settings)

    assert (again["published"], again["held_because"]) == (False, ["volume"])
    assert again["approval_id"] == asked["approval_id"]  # so the same run of the DAG
    assert rows(settings, "SELECT count(*) FROM ops.contact_approval") == [(1,)]


def test_no_other_day_waits_for_the_answer(settings, monkeypatch):
    asked = held(settings)
    monkeypatch.setattr(publish_job, "departures_of", lambda _: [])
    put_day(settings, DAY + timedelta(days=1), planned=("c",), not_after=NOW + timedelta(hours=30))

    next_day = publish("book", DAY + timedelta(days=1), is_backfill=False, now=NOW, settings=settings)

    assert (next_day["released_contacts"], next_day["held_because"], next_day["approval_id"]) == (1, [], None)
    assert [row[:2] for row in states(settings)] == [("a", "held"), ("b", "held"), ("c", "planned")]
    assert question(asked["approval_id"], settings=settings) == asked  # still asked


@pytest.mark.parametrize("name", [str(uuid.uuid4()), "", "2026-03-02"], ids=["unknown", "none given", "a date"])
def test_question_nobody_asked_is_refused(settings, name):
    with pytest.raises(ApprovalUnknownError):
        question(name, settings=settings)
    with pytest.raises(ApprovalUnknownError):
        settle(name, APPROVE, settings=settings)
