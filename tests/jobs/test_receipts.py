"""Receipts: in any order, twice, of strangers, before we know of the message; a dead address is flagged for good."""

import json
import os
import signal
import subprocess
import sys
from datetime import date

import pytest
from arrears.errors import ReceiptRefusedError
from arrears.jobs.receipts import flag_refused_addresses, take_receipts, work_off
from arrears.sending.receipts import Receipt
from arrears.sending.values import reference_of
from arrears.warehouse.connection import transaction
from sqlalchemy import text
from support.desk import forget, make_desk, plan, rows
from support.outbox import history, put_steps, states, step

DAY = date(2026, 3, 2)
OURS = reference_of("r", 1)
SENT = {"state_code": "sent", "provider_code": "test", "provider_reference": "g-1", "reference": OURS}


@pytest.fixture(scope="module")
def desk(tmp_path_factory, warehouse_url):
    return make_desk(tmp_path_factory.mktemp("desk"), warehouse_url)


@pytest.fixture
def settings(desk):
    forget(desk.warehouse)
    with transaction(desk.warehouse) as connection:
        connection.execute(text("DELETE FROM ops.receipt"))
    return desk


def put(settings, **given):
    """A message to the first borrower's point."""
    about = {"borrower_id": "P1", "person_id": "H1", "contact_point_id": "C1", "loan_ids": ["L1"]}
    put_steps(settings.warehouse, [step("r", **{**about, "contacted_on": DAY, **given})])


def receive(settings, *said, provider="test", name="one"):
    return take_receipts(settings, provider, name, enumerate(said, start=1))


def by_id(status, number="g-1"):
    return {"id": number, "status": status}


def standing(settings):
    [found] = rows(settings, "SELECT state_code, delivery_code FROM ops.notification WHERE step_key = 'r'")
    return found


@pytest.mark.parametrize(
    ("order", "ends"),
    [
        (("delivered", "read"), "read"),
        (("read", "delivered"), "read"),
        (("delivered", "delivered"), "delivered"),
        (("delivered", "bounced"), "bounced"),
        (("bounced", "delivered"), "bounced"),
        (("read", "accepted"), "read"),
    ],
)
@pytest.mark.parametrize("are_together", [True, False])
def test_receipts_come_in_any_order_and_twice(settings, order, ends, are_together):
    put(settings, **SENT)

    if are_together:
        receive(settings, *map(by_id, order))
    else:
        for number, status in enumerate(order):
            receive(settings, by_id(status), name=str(number))

    assert standing(settings) == ("sent", ends)


def test_delivery_that_comes_again_is_known_and_changes_nothing(settings):
    put(settings, **SENT)

    first, again = receive(settings, by_id("read")), receive(settings, by_id("read"))

    assert (first["taken"], first["is_known"]) == (1, False)
    assert (again["kept"], again["is_known"]) == (0, True)
    assert rows(settings, "SELECT count(*), min(outcome_code) FROM ops.receipt") == [(1, "taken")]


def test_receipt_of_a_stranger_or_of_another_provider_changes_nothing(settings):
    put(settings, **SENT)

    assert receive(settings, by_id("delivered", "g-9"))["unmatched"] == 1
    assert receive(settings, by_id("delivered"), provider="other", name="two")["unmatched"] == 1

    assert standing(settings) == ("sent", None)
    assert work_off(settings) == {}


@pytest.mark.parametrize(
    "state", ["unknown", "claimed", "rejected_retryable", "rejected_final", "planned", "held", "expired"]
)
def test_provider_that_says_it_has_it_is_believed_whatever_we_knew(settings, state):
    """By our own reference, for of such an attempt we have no other."""
    given = {} if state in {"unknown", "claimed"} else {"contacted_on": None}
    put(settings, state_code=state, provider_code="test", reference=OURS, attempt_no=1, **given)

    assert receive(settings, {"reference": OURS, "id": "g-5", "status": "delivered"})["taken"] == 1

    assert standing(settings) == ("sent", "delivered")
    kept = rows(settings, "SELECT provider_reference, contacted_on FROM ops.notification")
    assert kept == [("g-5", DAY)]
    assert history(settings.warehouse, "r")[-1] == ("sent", "receipt", "receipt:test")


def test_rejected_attempt_that_arrived_after_all_keeps_a_day_that_another_took_since(settings):
    put(settings, state_code="rejected_retryable", provider_code="test", reference=OURS, contacted_on=None)
    about = {"person_id": "H1", "contacted_on": DAY, "state_code": "sent"}
    put_steps(settings.warehouse, [step("since", **about)])

    receive(settings, {"reference": OURS, "status": "read"})

    assert states(settings.warehouse) == {"r": "sent", "since": "sent"}


@pytest.mark.parametrize("ours", [reference_of("b", 1), "f" * 32], ids=["another message's name", "nobody's name"])
def test_receipt_by_our_name_alone_moves_none_that_has_no_name_of_the_provider(settings, ours):
    put(settings, state_code="unknown", provider_code="test", reference=OURS)
    put_steps(settings.warehouse, [step("b", **{**SENT, "reference": reference_of("b", 1), "contacted_on": DAY})])

    done = receive(settings, {"reference": ours, "status": "bounced"})
    work_off(settings)

    assert standing(settings) == ("unknown", None)
    is_known = ours == reference_of("b", 1)
    assert flagged(settings) == [("point-b", "wrong_number")] * is_known
    assert (done.get("taken", 0), done.get("unmatched", 0)) == (int(is_known), int(not is_known))


@pytest.mark.parametrize("state", ["planned", "held", "cancelled", "expired"])
def test_receipt_does_not_wake_what_was_never_sent(settings, state):
    put(settings, state_code=state, provider_code="test", reference=OURS, contacted_on=None)

    assert receive(settings, {"reference": OURS, "status": "read"})["known"] == 1

    assert standing(settings) == (state, None)


def test_receipt_that_comes_before_its_message_is_known_waits_for_it(settings):
    assert receive(settings, by_id("read"))["unmatched"] == 1
    put(settings, **SENT)

    assert work_off(settings) == {"taken": 1}

    assert standing(settings) == ("sent", "read")
    assert work_off(settings) == {}


def flagged(settings):
    return rows(settings, "SELECT contact_point_id, flag_code FROM ops.feedback_flag")


def test_dead_address_that_the_newest_ledger_no_longer_names_is_flagged(settings):
    put(settings, **SENT, borrower_id="P9", person_id="H9", contact_point_id="C9", loan_ids=["L9"])

    receive(settings, by_id("bounced"))

    assert flagged(settings) == [("C9", "wrong_number")]
    assert rows(settings, "SELECT count(*) FROM ops.feedback_rejected") == [(0,)]


@pytest.mark.parametrize("status", ["bounced", "invalid"])
def test_dead_address_is_flagged_and_what_waits_for_it_ends(settings, status):
    put(settings, **SENT)
    plan(
        settings.warehouse,
        ("waits", "P1", ["L1"], "C1", "sms"),
        ("elsewhere", "P2", ["L3"], "C2", "sms"),
    )

    receive(settings, by_id(status))
    receive(settings, by_id(status), name="again")

    assert standing(settings) == ("sent", status)
    assert flagged(settings) == [("C1", "wrong_number")]
    assert states(settings.warehouse) == {"elsewhere": "planned", "r": "sent", "waits": "suppressed"}
    assert rows(settings, "SELECT count(*) FROM ops.feedback_rejected") == [(0,)]


@pytest.mark.parametrize("status", ["failed", "delivered", "read", "accepted"])
def test_other_receipts_flag_nothing(settings, status):
    put(settings, **SENT)

    receive(settings, by_id(status))

    assert flagged(settings) == []


def refuse_as_dead(settings):
    """The gateway has refused the message, for nobody is there, and it goes on by mail."""
    put(settings, channel_code="sms")
    moves = (
        f"state_code = 'claimed', reason_code = 'intent', attempt_no = 1, provider_code = 'test', reference = '{OURS}'",
        "state_code = 'rejected_retryable', reason_code = 'address_dead', contacted_on = NULL",
        "reason_code = 'other_way', channel_code = 'email', contact_point_id = 'C2'",
    )
    for change in moves:
        with transaction(settings.warehouse) as connection:
            connection.execute(text(f"UPDATE ops.notification SET {change} WHERE step_key = 'r'"))


def test_address_that_is_refused_as_dead_is_flagged_once_and_not_the_next_one(settings):
    refuse_as_dead(settings)
    plan(settings.warehouse, ("waits", "P1", ["L1"], "C1", "sms"))

    flagged_now = [flag_refused_addresses(settings) for _ in range(2)]

    assert flagged_now == [1, 0]
    assert flagged(settings) == [("C1", "wrong_number")]
    assert states(settings.warehouse) == {"r": "rejected_retryable", "waits": "suppressed"}


@pytest.mark.parametrize(("status", "state"), [("bounced", "rejected_retryable"), ("delivered", "sent")])
def test_receipt_of_a_refused_attempt_speaks_of_its_own_point(settings, status, state):
    """That it reached nobody is no news, and stops no other way; that it came after all is, and does."""
    refuse_as_dead(settings)

    for name in ("one", "the same again"):
        receive(settings, {"reference": OURS, "status": status}, name=name)

    assert states(settings.warehouse) == {"r": state}
    assert flagged(settings) == [("C1", "wrong_number")] * (status == "bounced")
    assert rows(settings, "SELECT count(*) FROM ops.feedback_rejected") == [(0,)]


@pytest.mark.chaos
@pytest.mark.parametrize("point", ["receipts.kept", "receipts.flagged", "feedback.after_commit"])
def test_receipts_survive_a_kill_and_are_worked_off_later(settings, tmp_path, point):
    put(settings, **SENT)
    marker, file = tmp_path / "strike", tmp_path / "receipts.jsonl"
    marker.touch()
    file.write_text(json.dumps(by_id("bounced")))
    places = ("portfolios", "policies", "strategies", "lake_url")
    environment = {
        **os.environ,
        **{f"ARREARS_{name.upper()}": str(getattr(settings, name)) for name in places},
        "ARREARS_WAREHOUSE_URL": settings.warehouse,
        "ARREARS_FAILPOINT": point,
        "ARREARS_FAILPOINT_FILE": str(marker),
    }
    command = [sys.executable, "-m", "arrears", "outbox", "receipts", "test", str(file)]

    killed, again = (subprocess.run(command, env=environment, capture_output=True, check=False) for _ in range(2))

    assert (killed.returncode, again.returncode) == (-signal.SIGKILL, 0)
    assert json.loads(again.stdout)["is_known"]
    assert work_off(settings) == {"taken": 1}
    assert standing(settings) == ("sent", "bounced")
    assert flagged(settings) == [("C1", "wrong_number")]
    assert rows(settings, "SELECT count(*) FROM ops.feedback_event") == [(1,)]


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        "delivered",
        {},
        {"id": "x"},
        {"status": "read"},
        {"id": "", "status": "read"},
        {"id": 7, "status": "read"},
        {"id": "x" * 300, "status": "read"},
        {"id": "x\n", "status": "read"},
        {"id": "x", "reference": 7, "status": "read"},
        {"id": "x", "status": "exploded"},
        {"id": "x", "status": ["read"]},
    ],
)
def test_what_is_no_receipt_is_refused_and_the_others_are_taken(settings, said):
    put(settings, **SENT)
    with pytest.raises(ReceiptRefusedError):
        Receipt.of(said)

    done = receive(settings, said, by_id("read"))

    assert [one["row"] for one in done["refused"]] == [1]
    assert standing(settings) == ("sent", "read")
