"""A failure reaches whoever is on call, through a real SMTP server and a real HTTP server."""

import json
import socket
from email import message_from_string

import pytest
from aiosmtpd.controller import Controller
from arrears.orchestration import callbacks
from support.listener import listening

MESSAGE = "ARR-VAL-002 [transaction]: 1 minor unit more; expected equal totals."


class Mailbox:
    def __init__(self):
        self.letters = []

    async def handle_DATA(self, server, session, envelope):  # noqa: ARG002, N802  aiosmtpd's own names
        self.letters.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 kept"


@pytest.fixture
def mailbox():
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        box.port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=box.port)
    server.start()
    yield box
    server.stop()


@pytest.fixture
def listener():
    with listening() as heard:
        yield heard


def test_failure_is_mailed(monkeypatch, mailbox):
    connection = {
        "conn_type": "smtp",
        "host": "127.0.0.1",
        "port": mailbox.port,
        "extra": {"disable_ssl": True, "disable_tls": True, "from_email": "arrears@localhost.test"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_ONCALL", json.dumps(connection))
    monkeypatch.setenv("ARREARS_ALERT_CONNECTION", "oncall")
    monkeypatch.setenv("ARREARS_ALERT_TO", "oncall@localhost.test")

    callbacks._notify("ARR-VAL-002 book 2026-03-02", MESSAGE)  # noqa: SLF001  the callback needs a whole run around it

    ((recipients, letter),) = mailbox.letters
    assert recipients == ["oncall@localhost.test"]
    parsed = message_from_string(letter)
    bodies = [part.get_payload(decode=True).decode() for part in parsed.walk() if not part.is_multipart()]
    assert parsed["Subject"] == "ARR-VAL-002 book 2026-03-02"
    assert any(MESSAGE in body for body in bodies)


def test_failure_is_posted(monkeypatch, listener):
    heard, address = listener
    monkeypatch.setenv("AIRFLOW_CONN_ONCALL", json.dumps({"conn_type": "http", "host": address}))
    monkeypatch.setenv("ARREARS_ALERT_CONNECTION", "oncall")

    callbacks._notify("ARR-VAL-002 book 2026-03-02", MESSAGE)  # noqa: SLF001  as above

    assert heard == [{"subject": "ARR-VAL-002 book 2026-03-02", "text": MESSAGE}]
