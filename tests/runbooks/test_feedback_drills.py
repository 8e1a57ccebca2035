"""Drills of reports and approvals: the webhook on a real server, clocks that ring, a plan that waits for a person.

Where whoever has to act is outside (a sender, a supervisor, who answers in Airflow), the page's questions and commands
are what is asked before and after.
"""

import json
import uuid
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from arrears.errors import ApprovalAnswerMissingError, ApprovalUnknownError
from arrears.feedback.signature import sign
from arrears.feedback.webhook import BODY_BYTES, webhook
from arrears.jobs import publish as publish_job
from arrears.jobs.contact_approval import question, settle
from arrears.jobs.publish import publish
from arrears.rules.departure import Departure
from arrears.warehouse.connection import transaction
from sqlalchemy import text
from support.desk import SECRET, forget, make_desk, opt_out, rows
from support.drills import block_of, questions_of
from support.facts import DAY, put_day
from support.served import served

CODES = {"ARR-APR-001", "ARR-APR-002", *(f"ARR-FBK-00{number}" for number in range(5, 10))}
NOW = datetime.now(UTC)
PATH = "/feedback/book/gateway"
APPROVE = {"chosen_options": ["Approve"], "responded_by_user": {"id": "7", "name": "supervisor"}}


@pytest.fixture(scope="module")
def made(tmp_path_factory, warehouse_url):
    return make_desk(tmp_path_factory.mktemp("desk"), warehouse_url)


@pytest.fixture
def desk(made, monkeypatch):
    """The desk, with nothing reported; the command line works on it."""
    forget(made.warehouse)
    monkeypatch.setenv("ARREARS_WAREHOUSE_URL", made.warehouse)
    for name in ("lake_url", "portfolios", "policies", "strategies"):
        monkeypatch.setenv(f"ARREARS_{name.upper()}", str(getattr(made, name)))
    return made


@pytest.fixture(scope="module")
def server(made):
    """Address of the webhook, on a free port of loopback."""
    with served(webhook(made)) as address:
        yield address


def post(server, *reports, number="m1", at=None, secret=SECRET):
    body = json.dumps({"reports": list(reports)}).encode()
    headers = sign(secret, number, at or datetime.now(UTC), body)
    answer = httpx.post(f"{server}{PATH}", content=body, headers=headers, timeout=30)
    return answer.status_code, answer.json().get("code", ""), answer.json().get("accepted", 0)


def asked(desk, code):
    """What the page's questions are answered: rows by question."""
    return [rows(desk, one) for one in questions_of(code)]


# ---------------------------------------------------------------------------------------------------------- webhook
def test_request_that_was_signed_with_another_secret_is_sent_again(desk, server):
    assert post(server, opt_out(), secret="whsec_" + "B" * 32)[:2] == (401, "ARR-FBK-005")
    assert asked(desk, "ARR-FBK-005") == [[]]

    assert post(server, opt_out()) == (202, "", 1)

    ((taken,),) = asked(desk, "ARR-FBK-005")
    assert taken[:3] == ("book", "gateway", "webhook")


def test_request_that_came_twice_is_known_by_its_first_delivery(desk, server):
    at = datetime.now(UTC)
    assert post(server, opt_out(), at=at) == (202, "", 1)
    assert post(server, opt_out(), at=at)[:2] == (409, "ARR-FBK-006")
    ((first,),) = asked(desk, "ARR-FBK-006")

    assert post(server, opt_out(), number="m2") == (202, "", 0), "signed anew its reports are known"

    (found,) = asked(desk, "ARR-FBK-006")
    assert (first in found, len(found)) == (True, 2)


def test_request_that_is_too_large_is_sent_in_parts(desk, server):
    padding = "x" * 2_000
    reports = [{**opt_out(ref=f"o{number}"), "text": padding} for number in range(BODY_BYTES // len(padding) + 1)]
    assert post(server, *reports)[:2] == (413, "ARR-FBK-007")
    assert asked(desk, "ARR-FBK-007") == [[]]

    half = len(reports) // 2
    for number, part in enumerate((reports[:half], reports[half:])):
        assert post(server, *part, number=f"part{number}")[0] == 202

    assert len(asked(desk, "ARR-FBK-007")[0]) == 2


# ----------------------------------------------------------------------------------------------- clocks that ring
REPORTED = {"occurred_at": (NOW - timedelta(hours=1)).isoformat(), "party_id": "P1"}
COMPLAINT = {"kind": "complaint", "ref": "c1", **REPORTED, "loan_ids": ["L1"]}
RISK = {"kind": "flag", "flag_code": "self_harm_risk", "ref": "r1", **REPORTED}
RINGS = {
    "ARR-FBK-008": (
        {**COMPLAINT, "answer_due_on": (NOW - timedelta(days=2)).date().isoformat()},
        {
            **COMPLAINT,
            "answer_due_on": (NOW - timedelta(days=2)).date().isoformat(),
            "ends_at": (NOW - timedelta(minutes=1)).isoformat(),
            "revision": 2,
        },
    ),
    "ARR-FBK-009": (
        RISK,
        {
            "kind": "override",
            "ref": "t1",
            **REPORTED,
            "author_id": "S1",
            "reason_code": "spoken_with",
            "action_code": "take_over",
        },
    ),
}


@pytest.mark.parametrize("code", RINGS)
def test_what_waits_for_a_person_rings_until_they_have_acted(desk, made, typed, followed, code):
    told, acted = RINGS[code]
    inbox = made.portfolios.parent / "inbox"
    (inbox / f"{code}-told.jsonl").write_text(json.dumps(told))
    intake, watch = block_of(code, P="book")
    followed([intake])
    status, said = typed(watch)
    assert (status, code in said) == (1, True), said
    assert all(asked(desk, code)), "the page's question names it"

    (inbox / f"{code}-acted.jsonl").write_text(json.dumps(acted))
    followed(block_of(code, P="book"))

    assert not any(asked(desk, code))


# -------------------------------------------------------------------------------------------------------- approvals
@pytest.fixture
def held(desk, monkeypatch):
    """A published day whose plan is held, and the question about it."""
    monkeypatch.setattr(publish_job, "decide_on_staged", lambda *_: None)
    monkeypatch.setattr(publish_job, "is_current_day", lambda *_: True)
    monkeypatch.setattr(publish_job, "departures_of", lambda _: [Departure("volume", "sms", "900", "50 to 200")])
    with transaction(desk.warehouse) as connection:
        for table in ("ops.contact_approval", "ops.publish_ledger"):
            connection.execute(text(f"DELETE FROM {table}"))
    put_day(desk, planned=("a", "b"), not_after=NOW + timedelta(hours=5))
    published = publish("book", DAY, is_backfill=False, now=NOW, settings=desk)
    return question(published["approval_id"], settings=desk)


def held_rows(followed, code):
    (said,) = followed([[*words, "--json"] for words in block_of(code, P="book")])
    return len(json.loads(said))


@pytest.mark.parametrize(
    ("code", "error", "wrong"),
    [
        pytest.param("ARR-APR-001", ApprovalUnknownError, lambda _: (str(uuid.uuid4()), APPROVE), id="nobody_asked"),
        pytest.param("ARR-APR-002", ApprovalAnswerMissingError, lambda one: (one, None), id="no_answer"),
    ],
)
def test_plan_that_waits_is_found_by_the_page_and_decided(  # noqa: PLR0917  a drill's parts
    desk, held, followed, code, error, wrong
):
    with pytest.raises(error, match=code):
        settle(*wrong(held["approval_id"]), settings=desk)
    ((waiting,),) = asked(desk, code)
    assert (str(waiting[0]), held_rows(followed, code)) == (held["approval_id"], 2)

    settle(str(waiting[0]), APPROVE, settings=desk)

    assert (asked(desk, code), held_rows(followed, code)) == ([[]], 0)
