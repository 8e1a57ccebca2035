"""E-mail against a real SMTP server that fails on purpose: six outcomes, and no header it could be made to carry."""

import socket
import time
from dataclasses import replace

import pytest
from aiosmtpd.controller import Controller
from arrears.errors import ClaimTooOldError
from arrears.sending.channels.smtp import Smtp
from arrears.sending.values import Content, Message, Private, Reply


class Server:
    """Keeps what it accepts; fails where the test says."""

    def __init__(self):
        self.kept = []
        self.fails = ""

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802, ARG002  aiosmtpd's names
        if self.fails == "sender":
            return "451 try later"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802, ARG002
        if self.fails == "recipient":
            return "550 no such mailbox"
        if self.fails.startswith("5"):
            return self.fails
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802, ARG002
        if self.fails == "text":
            return "554 not that"
        self.kept.append(envelope)
        if self.fails == "hang":
            import asyncio  # noqa: PLC0415

            await asyncio.sleep(1.5)
        if self.fails == "reset":
            server.transport.abort()
        return "250 taken"


@pytest.fixture(scope="module")
def running():
    handler = Server()
    controller = Controller(handler, hostname="127.0.0.1", port=0)
    controller.port = free_port()
    controller.start()
    yield handler, controller.port
    controller.stop()


@pytest.fixture
def mail(running):
    handler, port = running
    handler.kept.clear()
    handler.fails = ""
    channel = Smtp(
        "127.0.0.1",
        port,
        "notices@lender.example",
        "lender.example",
        "https://lender.example/u/{reference}",
        timeout=0.5,
        is_encrypted=False,
        private=frozenset({f"127.0.0.1:{port}"}),
    )
    return handler, channel


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def message(to="borrower@home.example", subject="A reminder", body="Hello,\n.\n..dots\n", attempt=1):
    return Message("step-1", attempt, "email", Private(to), Content("t@1/en", Private(subject), Private(body)))


def quiet():
    """Nothing stands in the way."""


def test_mail_is_accepted_with_a_stable_name_and_one_click_unsubscribe(mail):
    handler, channel = mail

    outcomes = [channel.deliver(message(), quiet) for _ in range(2)]

    first, second = (envelope.content.decode() for envelope in handler.kept)
    reference = message().reference
    assert [one.reply for one in outcomes] == [Reply.SENT] * 2
    assert f"Message-ID: <{reference}@lender.example>" in first
    assert f"Message-ID: <{reference}@lender.example>" in second
    assert f"List-Unsubscribe: <https://lender.example/u/{reference}>" in first
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in first
    assert first.endswith("Hello,\r\n.\r\n..dots\r\n")
    assert handler.kept[0].rcpt_tos == ["borrower@home.example"]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("550 5.1.1 no such user", "address_dead"),
        ("550 5.1.10 null MX", "address_dead"),
        ("550 5.7.1 we do not like you", "smtp_recipient_550"),
        ("550 5.2.2 mailbox full", "smtp_recipient_550"),
        ("550 no such user", "smtp_recipient_550"),
    ],
)
def test_only_an_address_that_the_server_says_does_not_exist_is_dead(mail, said, reason):
    handler, channel = mail
    handler.fails = said

    outcome = channel.deliver(message(), quiet)

    assert (outcome.reply, outcome.reason, handler.kept) == (Reply.NEVER, reason, [])


@pytest.mark.parametrize(
    ("fails", "reply", "is_kept"),
    [
        ("", Reply.SENT, True),
        ("sender", Reply.NOT_NOW, False),
        ("recipient", Reply.NEVER, False),
        ("text", Reply.NOT_NOW, False),
        ("hang", Reply.UNKNOWN, True),
        ("reset", Reply.UNKNOWN, True),
    ],
)
def test_each_outcome_is_what_the_server_knows(mail, fails, reply, is_kept):
    handler, channel = mail
    handler.fails = fails

    outcome = channel.deliver(message(), quiet)

    assert outcome.reply is reply
    assert bool(handler.kept) is is_kept


def test_server_that_is_not_there_is_a_definite_rejection(mail):
    _, channel = mail
    away = Smtp("127.0.0.1", free_port(), "a@b.example", "b.example", "https://b.example/{reference}", timeout=0.5)

    assert away.deliver(message(), quiet).reply is Reply.NOT_NOW
    assert channel


def test_server_that_cannot_encrypt_gets_no_text(mail):
    handler, channel = mail
    strict = replace(channel, is_encrypted=True)

    assert strict.deliver(message(), quiet).reply is Reply.NOT_NOW
    assert handler.kept == []


def test_claim_that_is_too_old_hands_nothing_over(mail):
    handler, channel = mail

    def too_late():
        raise ClaimTooOldError("a claim of 70 s", "less than 60 s")

    assert channel.deliver(message(), too_late).reply is Reply.GIVEN_UP
    time.sleep(0.1)
    assert handler.kept == []


@pytest.mark.parametrize(
    "to",
    [
        "a@b.example\r\nBcc: victim@x.example",
        "a@b.example, victim@x.example",
        "Someone <a@b.example>",
        "a@b.example\nRCPT TO:<victim@x.example>",
        "no address",
        "",
        "å@b.example",
        "=?utf-8?q?evil=40x.example=2C?=@b.example",
    ],
)
def test_address_that_is_more_than_an_address_is_refused(mail, to):
    handler, channel = mail

    assert channel.deliver(message(to=to), quiet).reply is Reply.NEVER
    assert handler.kept == []


@pytest.mark.parametrize(
    "subject",
    [
        "Hi\r\nBcc: victim@x.example",
        "Hi\nX-Evil: 1",
        "Hi\r\n\r\nbody",
        "=?utf-8?q?a=0D=0ABcc:_victim=40x.example?=",
        "=?utf-8?b?YQ0KQmNjOiB4QGV2aWwuZXhhbXBsZQ==?=",
    ],
)
def test_subject_that_would_be_more_than_a_header_is_refused(mail, subject):
    handler, channel = mail

    assert channel.deliver(message(subject=subject), quiet).reply is Reply.NEVER
    assert handler.kept == []
