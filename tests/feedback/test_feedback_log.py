"""The log of feedback is appended only, and its views say what holds, whatever the order of arrival."""

from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest
from arrears.errors import PublishAuditError
from arrears.feedback.reaction import OF_THE_PERSON
from arrears.feedback.reports import FlagReport
from arrears.warehouse.connection import transaction
from arrears.warehouse.feedback_tables import FEEDBACK_EVENT
from sqlalchemy import insert, text

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FLAG_CODES = get_args(FlagReport.model_fields["flag_code"].annotation)


@pytest.fixture
def log(warehouse_url):
    """Append events to an empty log; read a view, as known at an instant."""
    with transaction(warehouse_url) as connection:
        connection.execute(text("ALTER TABLE ops.feedback_event DISABLE TRIGGER appended_only"))
        connection.execute(text("TRUNCATE ops.feedback_event"))
        connection.execute(text("ALTER TABLE ops.feedback_event ENABLE TRIGGER appended_only"))
    return Log(warehouse_url)


class Log:
    def __init__(self, url):
        self.url = url

    def add(self, kind, ref, detail, *, revision=1, received=NOON, loans=(), party="P1", point=None):
        with transaction(self.url) as connection:
            connection.execute(
                insert(FEEDBACK_EVENT).values(
                    event_id=f"{kind}/{ref}/{revision}",
                    portfolio="book",
                    source_code="desk",
                    kind_code=kind,
                    source_ref=ref,
                    revision=revision,
                    content_hash="0",
                    person_id="H1",
                    party_id=party,
                    contact_point_id=point,
                    loan_ids=list(loans),
                    occurred_at=NOON,
                    received_at=received,
                    detail=detail,
                )
            )

    def read(self, view, columns, known_until=None):
        with transaction(self.url) as connection:
            if known_until:
                connection.execute(
                    text("SELECT set_config('arrears.known_until', :at, TRUE)"), {"at": known_until.isoformat()}
                )
            found = connection.execute(text(f"SELECT {columns} FROM ops.{view} ORDER BY {columns}"))
            return [tuple(row) for row in found]


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE ops.feedback_event SET revision = 2", id="changed"),
        pytest.param("DELETE FROM ops.feedback_event", id="deleted"),
        pytest.param("TRUNCATE ops.feedback_event", id="emptied"),
    ],
)
def test_what_was_reported_cannot_be(log, warehouse_url, statement):
    log.add("opt_out", "1", {})

    with pytest.raises(PublishAuditError, match="23001"), transaction(warehouse_url) as connection:
        connection.execute(text(statement))

    assert log.read("feedback_event", "source_ref") == [("1",)]


@pytest.mark.parametrize("order", [(1, 2), (2, 1)], ids=["in order", "out of order"])
def test_highest_revision_holds(log, order):
    detail = {1: {}, 2: {"ends_at": "2026-03-05T00:00:00+00:00"}}

    for revision in order:
        log.add("dispute", "7", detail[revision], revision=revision, loans=["L1", "L2"])

    ends = datetime(2026, 3, 5, tzinfo=UTC)
    assert log.read("feedback_flag", "flag_code, party_id, loan_id, ends_at") == [
        ("dispute", None, "L1", ends),
        ("dispute", None, "L2", ends),
    ]


def test_session_sees_what_was_known(log):
    log.add("hardship", "1", {})
    log.add("hardship", "1", {"is_withdrawn": True}, revision=2, received=NOON + timedelta(hours=1))

    assert log.read("feedback_flag", "flag_code, person_id, party_id", known_until=NOON) == [("hardship", "H1", "P1")]
    assert log.read("feedback_flag", "flag_code", known_until=NOON - timedelta(seconds=1)) == []
    assert log.read("feedback_flag", "flag_code") == []


def test_flag_has_one_subject_and_the_ledgers_code(log):
    log.add("opt_out", "1", {"channel_code": "sms"}, point="C1")
    log.add("opt_out", "2", {}, loans=())
    log.add("override", "3", {"action_code": "pause"}, loans=["L1"])
    log.add("override", "4", {"action_code": "bar_channel", "channel_code": "call"})
    log.add("override", "5", {"action_code": "reassign", "agent_id": "A1"}, loans=["L1"])
    log.add("flag", "6", {"flag_code": "attorney_known"})
    log.add("wrong_number", "7", {}, point="C2")

    assert log.read("feedback_flag", "flag_code, party_id, loan_id, contact_point_id") == [
        ("attorney_known", "P1", None, None),
        ("opt_out", "P1", None, None),
        ("opt_out_call", "P1", None, None),
        ("opt_out_sms", None, None, "C1"),
        ("supervisor_pause", None, "L1", None),
        ("wrong_number", None, None, "C2"),
    ]


@pytest.mark.parametrize("code", FLAG_CODES)
def test_what_is_true_of_the_human_is_not_narrowed_to_a_loan_or_a_point(log, code):
    """Both stand in a report because somebody called from that number about that loan."""
    log.add("flag", "1", {"flag_code": code}, loans=["L1"], point="C1")

    person = ("H1", "P1", None, None) if code in OF_THE_PERSON else (None, None, "L1", None)
    assert log.read("feedback_flag", "person_id, party_id, loan_id, contact_point_id") == [person]


@pytest.mark.parametrize("kind", ["dispute", "complaint", "hardship"])
def test_point_that_a_matter_came_from_does_not_narrow_it(log, kind):
    log.add(kind, "1", {}, loans=["L1"], point="C1")
    log.add(kind, "2", {}, point="C1")

    assert log.read("feedback_flag", "party_id, loan_id, contact_point_id") == [("P1", None, None), (None, "L1", None)]


def test_promise_shows_its_parts(log):
    parts = [{"amount_minor": 500, "due_on": "2026-03-10"}, {"amount_minor": 700, "due_on": "2026-04-10"}]
    log.add("promise", "9", {"currency": "USD", "parts": parts}, loans=["L1"])

    assert log.read("feedback_promise", "promise_id, seq, amount_minor, due_on, cancelled_at") == [
        ("9", 1, 500, date(2026, 3, 10), None),
        ("9", 2, 700, date(2026, 4, 10), None),
    ]


def test_payment_and_contact_show_what_was_reported(log):
    payment = {
        "amount_minor": 900,
        "currency": "USD",
        "expected_on": "2026-03-04",
        "valid_until_at": "2026-03-05T00:00:00Z",
        "state_code": "pending",
    }
    call = {"channel_code": "call", "direction_code": "out", "purpose_code": "collection", "outcome_code": "no_answer"}
    log.add("payment_notice", "1", payment, loans=["L1"])
    log.add("contact", "2", call, point="C1")

    assert log.read("feedback_payment", "loan_id, amount_minor, initiated_at, expected_on, state_code") == [
        ("L1", 900, NOON, date(2026, 3, 4), "pending")
    ]
    assert log.read("feedback_contact", "contact_point_id, channel_code, started_at, outcome_code") == [
        ("C1", "call", NOON, "no_answer")
    ]
