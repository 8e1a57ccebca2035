"""The webhook on a real server: who has no secret says nothing, and nothing is said twice."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from arrears.errors import (
    ConfigurationError,
    FeedbackSubjectError,
    FeedbackUnreadableError,
    WebhookReplayedError,
    WebhookTooLargeError,
    WebhookUnsignedError,
)
from arrears.feedback.signature import HEADERS, sign, verify
from arrears.feedback.sources import open_webhooks
from arrears.feedback.webhook import BODY_BYTES, REPORTS, webhook
from support.desk import SECRET, forget, make_desk, opt_out, plan, rows
from support.served import served

PATH = "/feedback/book/gateway"


@pytest.fixture(scope="module")
def desk(tmp_path_factory, warehouse_url):
    return make_desk(tmp_path_factory.mktemp("desk"), warehouse_url)


@pytest.fixture(scope="module")
def server(desk):
    """Its address, on a free port of loopback."""
    with served(webhook(desk)) as address:
        yield address


@pytest.fixture
def client(server, warehouse_url):
    forget(warehouse_url)
    with httpx.Client(base_url=server, timeout=30) as client:
        yield client


def body_of(*reports):
    return json.dumps({"reports": list(reports)}).encode()


def post(client, body, *, path=PATH, number="m1", at=None, secret=SECRET, **changed):
    headers = {**sign(secret, number, at or datetime.now(UTC), body), **changed}
    return client.post(path, content=body, headers=headers)


def test_signature_is_that_of_standard_webhooks():
    """The vector that the specification's own libraries are tested with."""
    body, at = b'{"test": 2432232314}', datetime.fromtimestamp(1614265330, UTC)

    headers = sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body)

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_signed_request_is_taken_in_and_acts(client, desk, warehouse_url):
    plan(warehouse_url, ("sms", "P1", ["L1"], "C1", "sms"))

    answer = post(client, body_of(opt_out()))

    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "repeated": 0, "stopped": 1, "refused": []})
    assert rows(desk, "SELECT state_code, reason_code FROM ops.notification") == [("suppressed", "opt_out")]


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"webhook-signature": ""}, id="unsigned"),
        pytest.param({"webhook-signature": "v1,AAAA"}, id="another_signature"),
        pytest.param({"webhook-signature": "v0,AAAA x \u00e9".encode("latin-1")}, id="no_signature_of_a_known_version"),
        pytest.param({"webhook-timestamp": "1"}, id="another_time"),
        pytest.param({"webhook-timestamp": "soon"}, id="no_time"),
        pytest.param({"webhook-timestamp": "9" * 400}, id="a_time_of_400_digits"),
        pytest.param({"webhook-id": "m2"}, id="another_message"),
        pytest.param({"webhook-id": "m" * 600}, id="a_header_too_long"),
    ],
)
def test_unsigned_request_is_refused(client, desk, changed):
    answer = post(client, body_of(opt_out()), **changed)

    assert (answer.status_code, answer.json()["code"]) == (401, WebhookUnsignedError.code)
    assert rows(desk, "SELECT count(*) FROM ops.feedback_delivery") == [(0,)]


@pytest.mark.parametrize("late", [-301, 301], ids=["too_old", "from_the_future"])
def test_signed_request_of_another_time_is_refused(client, late):
    answer = post(client, body_of(opt_out()), at=datetime.now(UTC) + timedelta(seconds=late + (late > 0)))

    assert (answer.status_code, answer.json()["code"]) == (401, WebhookUnsignedError.code)


@pytest.mark.parametrize(
    "path", ["/feedback/book/nobody", "/feedback/other/gateway", "/feedback/book/desk", "/feedback/..%2f/gateway"]
)
def test_place_that_is_none_looks_like_a_wrong_signature(client, path):
    answer = post(client, body_of(opt_out()), path=path)

    assert answer.status_code in (401, 404)
    assert "book" not in answer.text


def test_replayed_request_is_refused_and_a_signed_retry_is_known(client, desk):
    at, body = datetime.now(UTC), body_of(opt_out())

    first, replayed = post(client, body, at=at), post(client, body, at=at)
    signature = sign(SECRET, "m1", at, body)["webhook-signature"]
    decorated = [post(client, body, at=at, **{"webhook-signature": f"{signature} {more}"}) for more in ("v1,AAAA", "x")]
    retried = post(client, body, at=at + timedelta(seconds=2))

    assert (first.status_code, replayed.status_code, retried.status_code) == (202, 409, 202)
    assert replayed.json()["code"] == WebhookReplayedError.code
    assert [one.status_code for one in decorated] == [409, 409]
    assert (retried.json()["accepted"], retried.json()["repeated"]) == (0, 1)
    assert rows(desk, "SELECT count(*) FROM ops.feedback_event") == [(1,)]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="none"),
        pytest.param(b"\xff\xfe", id="no_text"),
        pytest.param(b"[]", id="a_list"),
        pytest.param(b'{"reports": []}', id="no_report"),
        pytest.param(b'{"reports": [{}], "more": 1}', id="another_key"),
        pytest.param(b'{"reports": [{}], "reports": [{}]}', id="its_key_twice"),
        pytest.param(b'{"reports": [{"kind": "opt_out", "kind": "agent_note"}]}', id="a_report_s_key_twice"),
        pytest.param(b"[" * 100_000, id="very_deep"),
        pytest.param(json.dumps({"reports": [{}] * (REPORTS + 1)}).encode(), id="too_many"),
    ],
)
def test_wrong_body_is_refused(client, desk, body):
    answer = post(client, body)

    assert (answer.status_code, answer.json()["code"]) == (422, FeedbackUnreadableError.code)
    assert rows(desk, "SELECT count(*) FROM ops.feedback_delivery") == [(0,)]


def test_too_large_a_request_is_not_read_to_its_end(client):
    def endless():
        for _ in range(10_000):
            yield b" " * 65_536

    declared = client.post(PATH, content=b" " * (BODY_BYTES + 1))
    streamed = None
    with suppress(httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):  # the server may hang up first
        streamed = client.post(PATH, content=endless())

    assert (declared.status_code, declared.json()["code"]) == (413, WebhookTooLargeError.code)
    assert streamed is None or streamed.status_code == 413


def test_unknown_case_is_quarantined_and_the_rest_acts(client, desk):
    answer = post(client, body_of(opt_out(ref="o9", party_id=None, loan_ids=["L9"]), opt_out()))

    assert answer.status_code == 202
    assert answer.json()["accepted"] == 1
    assert [(one["row"], one["column"], one["code"]) for one in answer.json()["refused"]] == [
        (1, "loan_ids", FeedbackSubjectError.code)
    ]
    assert rows(desk, "SELECT row_number, error_code FROM ops.feedback_rejected") == [(1, FeedbackSubjectError.code)]


@pytest.mark.parametrize("signed_anew", [False, True], ids=["the same request", "each signed anew"])
def test_fifty_duplicates_at_once_make_one_row(client, desk, signed_anew):
    at, body = datetime.now(UTC), body_of(opt_out())

    with ThreadPoolExecutor(50) as crowd:
        answers = list(
            crowd.map(lambda number: post(client, body, at=at, number=f"m{number if signed_anew else 0}"), range(50))
        )

    codes = sorted(answer.status_code for answer in answers)
    assert codes == ([202] * 50 if signed_anew else [202] + [409] * 49)
    assert sum(answer.json().get("accepted", 0) for answer in answers) == 1
    assert rows(desk, "SELECT count(*) FROM ops.feedback_event") == [(1,)]


def test_second_secret_is_accepted_while_they_are_exchanged():
    other = "whsec_" + "B" * 32
    now, body = datetime.now(UTC), b"{}"

    verify(sign(other, "m", now, body), body, [SECRET, other], now)
    with pytest.raises(WebhookUnsignedError):
        verify(sign(other, "m", now, body), body, [SECRET], now)
    assert HEADERS == ("webhook-id", "webhook-timestamp", "webhook-signature")


def test_server_without_any_secret_does_not_start(tmp_path, warehouse_url):
    desk = make_desk(tmp_path, warehouse_url)
    sources = desk.portfolios / "book/feedback/sources.yaml"
    places = open_webhooks(desk)
    sources.write_text(sources.read_text().replace(f'"{SECRET}"', '""'))

    with pytest.raises(ConfigurationError, match="no webhook has a secret"):
        open_webhooks(desk)

    assert places == ["book/gateway"]
