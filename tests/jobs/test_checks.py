"""A dialler asks right before it calls, and the real judge answers from the real books."""

import json
from datetime import datetime, timedelta

import pytest
from arrears.feedback.signature import sign
from arrears.feedback.webhook import webhook
from arrears.jobs import provider_calls as calls
from arrears.jobs.at_sending import PolicyAtSending
from arrears.sending import by_hand
from arrears.sending.addresses import load_addresses
from arrears.sending.values import reference_of
from arrears.warehouse.connection import transaction
from arrears.warehouse.feedback_tables import FEEDBACK_EVENT
from fastapi.testclient import TestClient
from sqlalchemy import insert, text
from support.books import put
from support.outbox import empty_outbox
from support.sending_floor import DAY, TEN, made_floor, prepare

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"  # noqa: S105  of this test
WAY = (
    "kind: campaign, provider: bots, url: 'http://127.0.0.1:9', secret: 'gateway secret of the tests', "
    f"settles: by_look_up, callback_secrets: {SECRET}"
)
MINUTE_AGO = TEN - timedelta(minutes=1)
CALL = {"channel_code": "call", "direction_code": "out", "purpose_code": "collection", "outcome_code": "no_answer"}
NOTICE = {"amount_minor": 5000, "currency": "CNY", "state_code": "initiated"}


class Ten(datetime):
    """The clock of the webhook: ten o'clock of the day that was planned."""

    @classmethod
    def now(cls, tz=None):
        return TEN.astimezone(tz)


class Reviewed(PolicyAtSending):
    """As if somebody had read the packs."""

    def check_review(self, row, at, *, is_sandbox):
        pass


@pytest.fixture(scope="module")
def floor(tmp_path_factory, warehouse_url):
    return made_floor(tmp_path_factory.mktemp("floor"), warehouse_url)


@pytest.fixture
def settings(floor, tmp_path, monkeypatch):
    """Three contacts that a dialler has, and nobody has made yet."""
    made, rows = floor
    prepare(made, rows, DAY)
    config = tmp_path / "sending.yaml"
    config.write_text(f"allowed: ['127.0.0.1:9']\nprivate: ['127.0.0.1:9']\nchannels:\n  call: {{{WAY}}}\n")
    with transaction(made.warehouse) as connection:
        connection.execute(text("UPDATE ops.notification SET channel_code = 'call'"))
        points = connection.execute(text("SELECT contact_point_id FROM ops.notification")).scalars().all()
        load_addresses(
            connection, made.keys, "book", [(point, f"+86 138 0000 000{n}") for n, point in enumerate(points)]
        )
        connection.execute(text("UPDATE ops.notification SET state_code = 'claimed', attempt_no = 1"))
        handed = (
            "UPDATE ops.notification SET state_code = 'sent', delivery_code = 'handed_over', provider_code = 'bots', "
            "reference = :reference WHERE step_key = :key"
        )
        keys = [row["step_key"] for row in rows]
        connection.execute(text(handed), [{"key": key, "reference": reference_of(key, 1)} for key in keys])
    monkeypatch.setattr(calls, "datetime", Ten)
    monkeypatch.setattr("arrears.jobs.recheck.PolicyAtSending", Reviewed)
    yield made.model_copy(update={"sending": config, "outbox_folder": tmp_path / "out"})
    empty_outbox(made.warehouse)


@pytest.fixture
def client(settings):
    with TestClient(webhook(settings, calls.provider_calls(settings))) as client:
        yield client


def references(settings):
    with transaction(settings.warehouse) as connection:
        found = connection.execute(text("SELECT borrower_id, reference FROM ops.notification")).all()
    return dict(tuple(row) for row in found)


def check(client, settings, number="m1"):
    """May each be made, and why not, by borrower."""
    asked = references(settings)
    body = json.dumps({"checks": list(asked.values())}).encode()
    answer = client.post("/checks/bots", content=body, headers=sign(SECRET, number, TEN, body))
    assert answer.status_code == 200, answer.text
    said = {one["reference"]: (one["may"], one["reason"]) for one in answer.json()["checks"]}
    return {borrower: said[reference] for borrower, reference in asked.items()}


def report(settings, kind, **given):
    values = {"portfolio": "book", "person_id": "p-b1", "party_id": "b1", "contact_point_id": None, "loan_ids": []}
    values |= {"occurred_at": MINUTE_AGO, "received_at": MINUTE_AGO, "detail": {}, **given}
    fixed = {"event_id": kind, "kind_code": kind, "source_ref": "1", "source_code": "desk", "revision": 1}
    with transaction(settings.warehouse) as connection:
        connection.execute(insert(FEEDBACK_EVENT).values(**fixed, content_hash="0", **values))


@pytest.mark.parametrize(
    ("kind", "given", "reason"),
    [
        pytest.param("payment_notice", {"loan_ids": ["l1"], "detail": NOTICE}, "paid", id="paid"),
        pytest.param(
            "payment_notice", {"loan_ids": ["l1"], "detail": NOTICE | {"amount_minor": 1}}, "part_paid", id="part-paid"
        ),
        pytest.param("dispute", {"loan_ids": ["l1"]}, "dispute", id="disputed"),
        pytest.param("opt_out", {}, "opt_out", id="opted out"),
        pytest.param("hardship", {}, "hardship", id="hardship"),
        pytest.param("flag", {"detail": {"flag_code": "deceased"}}, "deceased", id="deceased"),
        pytest.param("flag", {"detail": {"flag_code": "self_harm_risk"}}, "self_harm_risk", id="a life at risk"),
        pytest.param("contact", {"detail": CALL}, "one_per_day", id="an agent called a minute ago"),
    ],
)
def test_what_was_reported_a_minute_ago_keeps_the_dialler_from_calling(client, settings, kind, given, reason):
    assert check(client, settings) == dict.fromkeys(("b1", "b2", "b3"), (True, ""))
    report(settings, kind, **given)

    said = check(client, settings, "m2")

    assert said["b1"][0] is False
    assert reason in said["b1"][1]
    assert (said["b2"], said["b3"]) == ((True, ""), (True, ""))
    assert check(client, settings, "m3")["b1"] == (False, "not_handed_over")  # it was taken back with the answer


def test_dialler_waits_while_the_ledger_is_stale_and_for_good_when_a_stop_holds(client, settings):
    put(settings, "raw__flag", DAY, [{"flag_code": "dispute", "party_id": "b9", "starts_at": TEN}])
    try:
        assert set(check(client, settings).values()) == {(False, "stale_ledger")}
    finally:
        put(settings, "raw__flag", DAY, [])
    with transaction(settings.warehouse) as connection:
        assert set(connection.execute(text("SELECT delivery_code FROM ops.notification")).scalars()) == {"handed_over"}
        by_hand.stop(connection, "channel", "call", actor="me", reason="the dialler misbehaves")
    fresh = TestClient(webhook(settings, calls.provider_calls(settings)))  # one that has not looked a minute ago

    assert set(check(fresh, settings, "m2").values()) == {(False, "stopped")}
