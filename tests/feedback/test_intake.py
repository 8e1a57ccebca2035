"""One delivery of reports: good rows are kept once and act at once, bad ones are named and their values hidden."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from arrears.errors import ConfigurationError, FeedbackConflictError, FeedbackRowError, FeedbackSubjectError
from arrears.feedback.intake import Delivery, Row, take_in
from arrears.feedback.vault import note_of, rejected_reports
from arrears.keys import new_key
from arrears.lake import Lake
from arrears.warehouse.audit import broken_entries
from arrears.warehouse.connection import transaction
from pydantic import SecretStr
from support.desk import AT, delivery, forget, make_desk, opt_out, plan, rows

PROMISE = {
    "kind": "promise",
    "ref": "p1",
    "occurred_at": AT,
    "loan_ids": ["L1"],
    "currency": "CNY",
    "amount_minor": 500,
    "due_on": "2026-03-09",
    "author_id": "A7",
}
CALL = {
    "kind": "contact",
    "ref": "c1",
    "occurred_at": AT,
    "contact_point_id": "C1",
    "channel_code": "call",
    "direction_code": "out",
    "outcome_code": "no_answer",
}


def quarantined(desk):
    """Rows that were not taken in, opened."""
    with transaction(desk.warehouse) as connection:
        return [(key, json.loads(said)) for key, said in rejected_reports(connection, desk.keys, "book")]


@pytest.fixture(scope="module")
def desk(tmp_path_factory, warehouse_url):
    return make_desk(tmp_path_factory.mktemp("desk"), warehouse_url)


@pytest.fixture
def take(desk, warehouse_url):
    forget(warehouse_url)
    lake = Lake(desk.lake_url)
    return lambda *reports, **how: take_in(desk, lake, delivery(*reports, **how))


def test_reports_are_kept_with_whom_they_are_about(desk, take):
    taken = take(opt_out(), PROMISE, CALL)

    assert (taken.accepted, taken.repeated, taken.refusals) == (3, 0, ())
    assert rows(desk, "SELECT kind_code, person_id, party_id, loan_ids FROM ops.feedback_event ORDER BY 1") == [
        ("contact", "H1", "P1", []),
        ("opt_out", "H1", "P1", []),
        ("promise", "H1", "P1", ["L1"]),
    ]
    assert rows(desk, "SELECT promise_id, seq, amount_minor, agent_id FROM ops.feedback_promise") == [
        ("p1", 1, 500, "A7")
    ]


def test_same_delivery_and_same_report_are_kept_once(desk, take):
    take(opt_out(), name="one")

    assert take(opt_out(), name="one").is_known
    again = take(opt_out(occurred_at="2026-03-02T11:00:00+08:00"), CALL, name="two")  # the same instant

    assert (again.accepted, again.repeated) == (1, 1)
    assert rows(desk, "SELECT count(*) FROM ops.feedback_event") == [(2,)]


def test_same_reference_with_other_content_is_a_contradiction(desk, take):
    take(opt_out(), name="one")

    taken = take(opt_out(channel_code="sms"), name="two")

    assert [(one.column, one.code) for one in taken.refusals] == [("revision", FeedbackConflictError.code)]
    assert rows(desk, "SELECT flag_code FROM ops.feedback_flag") == [("opt_out",)]


@pytest.mark.parametrize("order", [(1, 2), (2, 1)], ids=["in order", "late"])
def test_revision_replaces_whenever_it_arrives(desk, take, order):
    said = {1: opt_out(), 2: opt_out(revision=2, ends_at="2026-03-05T00:00:00Z")}

    for number in order:
        take(said[number], name=f"n{number}")

    assert rows(desk, "SELECT ends_at FROM ops.feedback_flag") == [(datetime(2026, 3, 5, tzinfo=UTC),)]


@pytest.mark.parametrize(
    ("wrong", "column", "code"),
    [
        pytest.param({"kind": "gossip", "ref": "x"}, "kind", FeedbackRowError.code, id="unknown_kind"),
        pytest.param(opt_out(ref=""), "ref", FeedbackRowError.code, id="no_reference"),
        pytest.param(opt_out(occurred_at="2026-03-02 03:00"), "occurred_at", FeedbackRowError.code, id="no_zone"),
        pytest.param(opt_out(occurred_at="2999-01-01T00:00:00Z"), "occurred_at", FeedbackRowError.code, id="future"),
        pytest.param(
            opt_out(occurred_at="0001-01-01T00:00:00+08:00"), "occurred_at", FeedbackRowError.code, id="year_1"
        ),
        pytest.param(opt_out(phone="13800000000"), "phone", FeedbackRowError.code, id="unknown_column"),
        pytest.param(opt_out(channel_code="fax"), "channel_code", FeedbackRowError.code, id="unknown_channel"),
        pytest.param({**PROMISE, "amount_minor": 0}, "amount_minor", FeedbackRowError.code, id="promise_of_nothing"),
        pytest.param({**PROMISE, "amount_minor": True}, "amount_minor", FeedbackRowError.code, id="promise_of_true"),
        pytest.param({**PROMISE, "due_on": "2026-02-28"}, "due_on", FeedbackRowError.code, id="due_before_made"),
        pytest.param({**PROMISE, "due_on": "2062-03-09"}, "due_on", FeedbackRowError.code, id="due_in_36_years"),
        pytest.param({**PROMISE, "loan_ids": []}, "", FeedbackRowError.code, id="about_nobody"),
        pytest.param(opt_out(party_id="P9"), "party_id", FeedbackSubjectError.code, id="unknown_party"),
        pytest.param({**PROMISE, "loan_ids": ["L9"]}, "loan_ids", FeedbackSubjectError.code, id="unknown_loan"),
        pytest.param({**CALL, "contact_point_id": "C9"}, "contact_point_id", FeedbackSubjectError.code, id="no_point"),
        pytest.param(
            {**CALL, "party_id": "P2"}, "contact_point_id", FeedbackSubjectError.code, id="point_of_somebody_else"
        ),
        pytest.param({**PROMISE, "party_id": "P2"}, "loan_ids", FeedbackSubjectError.code, id="loan_of_somebody_else"),
        pytest.param({**PROMISE, "currency": "USD"}, "currency", FeedbackSubjectError.code, id="another_currency"),
    ],
)
def test_bad_row_is_named_and_the_rest_acts(desk, take, wrong, column, code):
    taken = take(wrong, opt_out(ref="good"))

    assert taken.accepted == 1
    assert [(one.row.number, one.column, one.code) for one in taken.refusals] == [(1, column, code)]
    assert rows(desk, "SELECT row_number, column_name, error_code FROM ops.feedback_rejected") == [(1, column, code)]
    ((key, said),) = quarantined(desk)
    assert (key["row_number"], said["kind"]) == (1, wrong["kind"])


@pytest.mark.parametrize("zone", ["-05:00", "+14:00"])
def test_promise_of_an_evening_for_the_same_day_is_taken(take, zone):
    taken = take({**PROMISE, "occurred_at": f"2026-03-02T20:30:00{zone}", "due_on": "2026-03-02"})

    assert (taken.accepted, taken.refusals) == (1, ())


@pytest.mark.parametrize("ends_at", ["9999-12-31T23:59:59-05:00", "9999-12-31T23:59:59Z", "9999-01-01T00:00:00+08:00"])
def test_end_in_9999_is_no_end(desk, take, ends_at):
    taken = take(opt_out(starts_at="0001-01-01T00:00:00+08:00", ends_at=ends_at))

    assert (taken.accepted, taken.refusals) == (1, ())
    assert rows(desk, "SELECT starts_at, ends_at FROM ops.feedback_flag") == [(datetime.fromisoformat(AT), None)]


def test_refusal_never_repeats_what_was_delivered(desk, take):
    canary = "Anna-Muster-13800000000"
    taken = take(
        opt_out(ref=f"{canary} "),
        opt_out(kind=canary),
        opt_out(channel_code=canary),
        opt_out(occurred_at=canary),
        {**opt_out(), canary: "x"},
    )

    said = str([(one.column, one.expected) for one in taken.refusals]) + str(
        rows(desk, "SELECT * FROM ops.feedback_rejected") + rows(desk, "SELECT * FROM ops.feedback_event")
    )
    assert len(taken.refusals) == 5
    assert canary not in said
    assert canary not in str(rows(desk, "SELECT encode(delivered, 'escape') FROM vault.feedback_rejected"))
    assert [canary in str(said) for _, said in quarantined(desk)] == [True] * 5


def test_values_that_the_database_cannot_hold_are_kept_readable(desk, warehouse_url):
    forget(warehouse_url)
    lake = Lake(desk.lake_url)
    broken = Delivery("book", "desk", "x", "file", "x", (Row(1, {"": "a\0b\ud800"}, "one JSON object"),))

    taken = take_in(desk, lake, broken)

    assert len(taken.refusals) == 1
    assert [said for _, said in quarantined(desk)] == [{"": "a\ufffdb?"}]


def test_words_go_to_the_vault_alone(desk, take):
    note = {
        "kind": "agent_note",
        "ref": "n1",
        "occurred_at": AT,
        "loan_ids": "L1",
        "author_id": "A7",
        "note": "lost her job, sister is Anna",
    }

    take(note)

    ((event_id, sealed),) = rows(desk, "SELECT event_id, note FROM vault.feedback_note")
    with transaction(desk.warehouse) as connection:
        assert note_of(connection, desk.keys, "book", event_id) == note["note"]
    assert b"Anna" not in bytes(sealed)
    assert "Anna" not in str(rows(desk, "SELECT * FROM ops.feedback_event"))


def test_keys_are_those_of_the_settings_handed_in(desk, warehouse_url):
    forget(warehouse_url)
    other = desk.model_copy(update={"master_keys": SecretStr(f"7:{new_key()}")})

    take_in(other, Lake(other.lake_url), delivery({"kind": "gossip"}, name=uuid.uuid4().hex))

    with transaction(warehouse_url) as connection:
        assert [json.loads(said) for _, said in rejected_reports(connection, other.keys, "book")] == [
            {"kind": "gossip"}
        ]
        with pytest.raises(ConfigurationError, match="version 7"):
            rejected_reports(connection, desk.keys, "book")
    forget(warehouse_url)


@pytest.mark.parametrize(
    ("report", "left"),
    [
        pytest.param(opt_out(), ["p2"], id="opt_out_of_everything"),
        pytest.param(opt_out(channel_code="sms"), ["call", "p2"], id="opt_out_of_a_channel"),
        pytest.param(opt_out(contact_point_id="C1"), ["p2"], id="opt_out_of_a_point"),
        pytest.param({**opt_out(), "kind": "dispute", "loan_ids": ["L2"]}, ["p2", "sms"], id="dispute_of_one_loan"),
        pytest.param({**opt_out(), "kind": "complaint"}, ["p2"], id="complaint"),
        pytest.param({**opt_out(), "kind": "hardship"}, ["p2"], id="hardship"),
        pytest.param({**CALL, "kind": "contact"}, ["call", "p2", "sms"], id="a_call_forbids_nothing"),
        pytest.param(PROMISE, ["call", "p2"], id="promise_for_the_loan"),
        pytest.param({**PROMISE, "cancelled_at": AT}, ["call", "p2", "sms"], id="cancelled_promise"),
        pytest.param(
            {"kind": "wrong_number", "ref": "w", "occurred_at": AT, "contact_point_id": "C1"}, ["p2"], id="wrong_number"
        ),
        pytest.param(
            {
                "kind": "payment_notice",
                "ref": "m",
                "occurred_at": AT,
                "loan_ids": ["L1"],
                "amount_minor": 1,
                "currency": "CNY",
                "state_code": "pending",
                "valid_until_at": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
            },
            ["call", "p2"],
            id="payment_under_way",
        ),
        pytest.param(
            {**opt_out(), "kind": "flag", "flag_code": "self_harm_risk"}, ["p2"], id="risk_to_life_stops_everything"
        ),
        pytest.param(
            {**opt_out(), "kind": "override", "author_id": "S1", "reason_code": "vip", "action_code": "pause"},
            ["p2"],
            id="supervisor_pauses",
        ),
        pytest.param(
            {
                **opt_out(),
                "kind": "override",
                "author_id": "S1",
                "reason_code": "asked",
                "action_code": "bar_channel",
                "channel_code": "call",
            },
            ["p2", "sms"],
            id="supervisor_bars_a_channel",
        ),
        pytest.param(opt_out(ends_at="2026-03-03T00:00:00Z"), ["call", "p2", "sms"], id="what_is_over"),
        pytest.param(opt_out(is_withdrawn=True), ["call", "p2", "sms"], id="what_is_withdrawn"),
    ],
)
def test_what_is_planned_reacts_in_the_same_intake(desk, take, warehouse_url, report, left):
    plan(
        warehouse_url,
        ("sms", "P1", ["L1"], "C1", "sms"),
        ("call", "P1", ["L2"], "C1", "call"),
        ("p2", "P2", ["L3"], "C2", "sms"),
    )

    taken = take(report)

    still = rows(desk, "SELECT step_key FROM ops.notification WHERE state_code = 'planned' ORDER BY 1")
    assert [key for (key,) in still] == left
    assert taken.stopped == 3 - len(left)


def test_refused_report_is_settled_once_a_later_delivery_has_it_right(desk, take):
    wrong = {**opt_out(), "loan_ids": ["L9"], "party_id": None}
    take(wrong, {**CALL, "channel_code": "smoke"}, name="one")
    take(opt_out(ref="another"), name="two")
    before = rows(desk, "SELECT count(*) FROM bi.feedback_quarantine WHERE settled_at IS NOT NULL")

    take(opt_out(), name="three")

    assert before == [(0,)]
    assert rows(desk, "SELECT row_number, settled_at IS NOT NULL FROM bi.feedback_quarantine ORDER BY 1") == [
        (1, True),
        (2, False),
    ]


def test_late_first_revision_does_not_stop_what_the_second_allows(take, warehouse_url):
    take(opt_out(revision=2, is_withdrawn=True), name="two")
    plan(warehouse_url, ("sms", "P1", ["L1"], "C1", "sms"))

    assert take(opt_out(), name="one").stopped == 0


def test_supervisor_s_decision_is_in_the_audit_trail_once_with_what_it_replaces_and_ends(desk, take, warehouse_url):
    plan(warehouse_url, ("sms", "P1", ["L1"], "C1", "sms"))
    pause = {
        "kind": "override",
        "ref": "decision",
        "occurred_at": AT,
        "loan_ids": ["L1"],
        "author_id": "S1",
        "reason_code": "vip",
        "action_code": "pause",
        "note": "asked by Zwetana on the phone",
    }
    handed = {**pause, "revision": 2, "action_code": "reassign", "agent_id": "A9", "reason_code": "language"}

    take(pause, name="one")
    take(pause, name="the same again")
    take(handed, name="two")

    entries = rows(
        desk,
        "SELECT actor, action, reason, before, after FROM ops.audit_entry "
        "WHERE subject IN (SELECT event_id FROM ops.feedback_event) ORDER BY entry_no",
    )
    first = {"action_code": "pause", "reason_code": "vip", "loan_ids": ["L1"]}
    second = {"action_code": "reassign", "reason_code": "language", "agent_id": "A9", "loan_ids": ["L1"]}
    assert [(actor, action, reason) for actor, action, reason, *_ in entries] == [
        ("desk:S1", "override.pause", "vip"),
        ("desk:S1", "override.reassign", "language"),
    ]
    assert [before for *_, before, _ in entries] == [None, first]
    assert [after for *_, after in entries] == [{**first, "contacts_ended": 1}, {**second, "contacts_ended": 0}]
    assert "Zwetana" not in str(entries)
    with transaction(warehouse_url) as connection:
        assert broken_entries(connection) == []
