"""What providers tell and ask the webhook, on a real server: signed, once, and heeded before the answer."""

import json
import threading
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from arrears.feedback.signature import sign
from arrears.feedback.webhook import webhook
from arrears.jobs import provider_calls as calls
from arrears.jobs.dispatch import hand_over
from arrears.sending.dispatch import Go, No
from arrears.sending.values import reference_of
from arrears.warehouse.connection import transaction
from sqlalchemy import text
from support.desk import forget, make_desk, plan, rows
from support.outbox import put_steps, step
from support.sending import gateway_process, send_all
from support.served import served

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"  # noqa: S105  of this test
OTHER = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
CAMPAIGN = (
    "kind: campaign, provider: bots, url: 'http://127.0.0.1:PORT', secret: 'gateway secret of the tests', "
    f"settles: by_look_up, lag_seconds: 0, callback: 'https://us.example', callback_secrets: {SECRET}"
)
OURS = reference_of("r", 1)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with gateway_process(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture(scope="module")
def desk(tmp_path_factory, warehouse_url, gateway):
    folder = tmp_path_factory.mktemp("desk")
    place = f"127.0.0.1:{gateway.port}"
    config = folder / "sending.yaml"
    config.write_text(
        f"allowed: ['{place}', 'm.example:25']\nprivate: ['{place}']\nchannels:\n"
        f"  voice_bot: {{{CAMPAIGN.replace('PORT', str(gateway.port))}}}\n"
        "  email: {kind: smtp, host: m.example, port: 25, sender: a@b.example, domain: b.example, "
        f"unsubscribe: 'https://b.example/unsubscribe/{{reference}}', callback_secrets: {OTHER}}}\n"
    )
    return make_desk(folder, warehouse_url).model_copy(update={"sending": config, "outbox_folder": folder / "out"})


@pytest.fixture(scope="module")
def server(desk):
    """Its address, on a free port of loopback."""
    with served(webhook(desk, calls.provider_calls(desk))) as address:
        yield address


@pytest.fixture
def client(server, desk, gateway):
    forget(desk.warehouse)
    gateway.mode(acted=0)
    with transaction(desk.warehouse) as connection:
        connection.execute(text("DELETE FROM ops.receipt"))
    with httpx.Client(base_url=server, timeout=120) as client:
        yield client


def post(client, path, key, *given, number="m1", at=None, secret=SECRET, **changed):
    body = json.dumps({key: list(given)}).encode()
    headers = {**sign(secret, number, at or datetime.now(UTC), body), **changed}
    return client.post(path, content=body, headers=headers)


def put_message(desk, **given):
    about = {"borrower_id": "P1", "person_id": "H1", "contact_point_id": "C1", "loan_ids": ["L1"]}
    sent = {"state_code": "sent", "provider_code": "bots", "channel_code": "voice_bot", "reference": OURS}
    put_steps(desk.warehouse, [step("r", **{**about, **sent, "delivery_code": "handed_over", **given})])


def standing(desk):
    return rows(desk, "SELECT state_code, delivery_code, reason_code FROM ops.notification WHERE step_key = 'r'")[0]


# ------------------------------------------------------------------------------------------------------- receipts
def test_signed_receipts_move_the_outbox_and_a_replay_is_refused(client, desk):
    put_message(desk)
    said = {"reference": OURS, "id": "b-1", "status": "delivered"}
    at = datetime.now(UTC)

    first, replayed = (post(client, "/receipts/bots", "receipts", said, 7, at=at) for _ in range(2))
    signed_anew = post(client, "/receipts/bots", "receipts", said, 7, at=at + timedelta(seconds=2))

    assert (first.status_code, replayed.status_code, signed_anew.status_code) == (202, 409, 202)
    answer = first.json()
    assert (answer["kept"], answer["taken"]) == (1, 1)
    assert [(one["row"], one["code"]) for one in answer["refused"]] == [(2, "ARR-SND-007")]
    assert replayed.json()["code"] == "ARR-FBK-006"
    assert signed_anew.json()["known"] == 1
    assert standing(desk)[:2] == ("sent", "delivered")


@pytest.mark.parametrize("path", ["/receipts/bots", "/checks/bots"])
@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"webhook-signature": "v1,AAAA"}, id="another_signature"),
        pytest.param({"webhook-timestamp": "1"}, id="another_time"),
        pytest.param({"webhook-id": ""}, id="no_name"),
        pytest.param({"secret": OTHER}, id="another_provider's_secret"),
        pytest.param({"at": datetime.now(UTC) - timedelta(minutes=6)}, id="too_old"),
    ],
)
def test_what_is_not_signed_by_the_provider_is_refused_and_kept_nowhere(client, desk, path, changed):
    put_message(desk)
    key, said = path.split("/")[1], {"reference": OURS, "status": "read"}

    answer = post(client, path, key, said if key == "receipts" else OURS, **changed)

    assert (answer.status_code, answer.json()["code"]) == (401, "ARR-FBK-005")
    assert standing(desk)[1] == "handed_over"
    assert rows(desk, "SELECT count(*) FROM ops.receipt") == [(0,)]


@pytest.mark.parametrize("provider", ["nobody", "sandbox", "handover", "..%2fbots"])
def test_provider_that_is_none_looks_like_a_wrong_signature(client, provider):
    answer = post(client, f"/receipts/{provider}", "receipts", {"id": "x", "status": "read"})

    assert answer.status_code in (401, 404)
    assert "bots" not in answer.text


def test_receipts_of_another_form_are_refused_whole(client):
    assert post(client, "/receipts/bots", "messages", {"id": "x"}).status_code == 422
    assert post(client, "/receipts/bots", "receipts").status_code == 422
    assert post(client, "/checks/bots", "checks", 7).status_code == 422


def test_same_receipt_twenty_times_at_once_is_taken_once(client, desk):
    put_message(desk)
    answers = []

    def send(number):
        answer = post(client, "/receipts/bots", "receipts", {"reference": OURS, "status": "read"}, number=f"n{number}")
        answers.append(answer.json())

    threads = [threading.Thread(target=send, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 20
    assert rows(desk, "SELECT count(*) FROM ops.receipt WHERE outcome_code = 'taken'") == [(1,)]
    assert rows(desk, "SELECT count(*) FROM ops.receipt WHERE outcome_code = 'known'") == [(19,)]


# ---------------------------------------------------------------------------------- right before somebody acts on it
class Answers:
    """A judge that says what the test wants; the real one's questions are those of tests/jobs/test_recheck.py."""

    def __init__(self, monkeypatch):
        self.answer = None
        for name in ("arrears.jobs.provider_calls.Recheck.__call__", "arrears.jobs.dispatch.Recheck.__call__"):
            monkeypatch.setattr(name, lambda _judge, *given: self.answer or send_all(*given))


@pytest.fixture
def judge(monkeypatch):
    return Answers(monkeypatch)


def check(client, *references, number="m1"):
    answer = post(client, "/checks/bots", "checks", *references, number=number)
    return [(one["may"], one["reason"]) for one in answer.json()["checks"]]


def test_bot_asks_right_before_it_calls(client, desk, judge):
    put_message(desk)

    may = check(client, OURS, "0" * 32)
    judge.answer = No("planned", "us.hours", until=datetime.now(UTC) + timedelta(hours=1))
    later = check(client, OURS)
    between = standing(desk)
    judge.answer = No("suppressed", "paid")
    never = check(client, OURS)
    judge.answer = None
    still_never = check(client, OURS)

    assert may == [(True, ""), (False, "not_handed_over")]
    assert later == [(False, "us.hours")]
    assert between[1] == "handed_over"
    assert never == [(False, "paid")]
    assert standing(desk) == ("sent", "withdrawn", "paid")
    assert still_never == [(False, "not_handed_over")]


def test_contact_whose_time_has_passed_may_not_be_made(client, desk, judge):
    put_message(desk, not_after_at=datetime.now(UTC) - timedelta(seconds=1))

    assert judge.answer is None
    assert check(client, OURS) == [(False, "too_late")]


def test_campaign_is_told_what_is_taken_back(client, desk, gateway, judge):
    """Handed over by the real channel; somebody pays; the next run takes it back, and again where that failed."""
    del client
    put_message(desk)
    way = calls.load_ways(desk).channel("voice_bot", desk.outbox_folder)
    with transaction(desk.warehouse) as connection:
        row = dict(connection.execute(text("SELECT * FROM ops.notification")).mappings().one())
        go = send_all(connection, {**row, "attempt_no": 0}, None)
    assert isinstance(go, Go)
    assert way.deliver(go.message, lambda: None).reply.value == "sent"
    way.close()
    now = datetime.now(UTC)

    untouched = hand_over(now, desk)["voice_bot"]
    judge.answer = No("suppressed", "paid")
    gateway.mode(acted=1)
    failed = hand_over(now, desk)["voice_bot"]
    gateway.mode(acted=0)
    done, again = (hand_over(now, desk)["voice_bot"] for _ in range(2))

    assert untouched == again == {"stopped": 0, "not_stopped": 0}
    assert failed == {"stopped": 0, "not_stopped": 1}
    assert done == {"stopped": 1, "not_stopped": 0}
    assert gateway.log()["taken_back"] == [OURS]
    [told] = gateway.log()["delivered"]
    assert (told["callback"], told["facts"]) == ("https://us.example", {})
    assert standing(desk) == ("sent", "withdrawn", "paid")


# ------------------------------------------------------------------------------------------------------ unsubscribe
def test_one_click_is_an_opt_out_of_mail(client, desk):
    put_message(desk, channel_code="email", provider_code="smtp", delivery_code=None)
    plan(desk.warehouse, ("mail", "P1", ["L1"], "C1", "email"), ("text", "P1", ["L1"], "C1", "sms"))

    looked = client.get(f"/unsubscribe/{OURS}")
    after_looking = rows(desk, "SELECT count(*) FROM ops.feedback_event")
    said = [client.post(f"/unsubscribe/{OURS}", content=b"List-Unsubscribe=One-Click") for _ in range(2)]

    assert (looked.status_code, after_looking) == (200, [(0,)])
    assert '<form method="post">' in looked.text
    assert [one.status_code for one in said] == [200, 200]
    found = rows(desk, "SELECT step_key, state_code FROM ops.notification WHERE step_key <> 'r' ORDER BY 1")
    assert found == [("mail", "suppressed"), ("text", "planned")]
    assert rows(desk, "SELECT count(*) FROM ops.feedback_event") == [(1,)]
    assert rows(desk, "SELECT count(*) FROM ops.feedback_rejected") == [(0,)]


def test_one_click_of_somebody_whom_the_newest_ledger_no_longer_names_holds(client, desk):
    gone = {"borrower_id": "P9", "person_id": "H9", "contact_point_id": "C9", "loan_ids": ["L9"]}
    put_message(desk, channel_code="email", provider_code="smtp", delivery_code=None, **gone)

    client.post(f"/unsubscribe/{OURS}", content=b"List-Unsubscribe=One-Click")

    heard = rows(desk, "SELECT party_id, person_id, detail ->> 'channel_code' FROM ops.feedback_event")
    assert heard == [("P9", "H9", "email")]
    assert rows(desk, "SELECT count(*) FROM ops.feedback_rejected") == [(0,)]


@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_link_in_the_mail_of_every_attempt_is_heard(client, desk, attempt):
    third = reference_of("r", 3)
    put_message(desk, channel_code="email", provider_code="smtp", delivery_code=None, attempt_no=3, reference=third)

    client.post(f"/unsubscribe/{reference_of('r', attempt)}", content=b"List-Unsubscribe=One-Click")
    client.post(f"/unsubscribe/{reference_of('r', 4)}", content=b"List-Unsubscribe=One-Click")

    assert rows(desk, "SELECT count(*) FROM ops.feedback_event") == [(1,)]


def test_link_in_a_mail_whose_step_went_on_by_text_is_heard(client, desk):
    """A server may take a mail and refuse it all the same; whoever has it can still say stop."""
    put_message(desk, channel_code="email", state_code="claimed", attempt_no=1, reference=OURS)
    with transaction(desk.warehouse) as connection:
        change = "state_code = 'rejected_retryable', channel_code = 'sms', reason_code = 'other_way'"
        connection.execute(text(f"UPDATE ops.notification SET {change}"))

    client.post(f"/unsubscribe/{OURS}", content=b"List-Unsubscribe=One-Click")

    assert rows(desk, "SELECT detail ->> 'channel_code' FROM ops.feedback_event") == [("email",)]


def test_stranger_s_click_says_and_does_nothing(client, desk):
    assert client.post(f"/unsubscribe/{'0' * 32}").text == client.post(f"/unsubscribe/{'1' * 32}").text
    assert client.post("/unsubscribe/..%2fx").status_code in (404, 422)
    assert rows(desk, "SELECT count(*) FROM ops.feedback_event") == [(0,)]
