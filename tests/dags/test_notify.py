"""A failure reaches whoever is on call, through a real SMTP server and a real HTTP server."""

import json
import socket
from email import message_from_string
from types import SimpleNamespace

import pytest
from aiosmtpd.controller import Controller
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from arrears.errors import WarehouseUnreachableError
from arrears.orchestration import callbacks
from arrears.warehouse.run_ledger import entries_of
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


RUN = SimpleNamespace(dag_id="collections_daily__book", partition_key="2026-03-02", run_id="scheduled__1")


def test_run_that_failed_is_told_although_the_warehouse_is_away(monkeypatch, listener):
    """Which is most likely what it failed of: the ledger cannot say so, the message must."""
    heard, address = listener
    monkeypatch.setenv("AIRFLOW_CONN_ONCALL", json.dumps({"conn_type": "http", "host": address}))
    monkeypatch.setenv("ARREARS_ALERT_CONNECTION", "oncall")
    monkeypatch.setenv("ARREARS_WAREHOUSE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")

    with pytest.raises(WarehouseUnreachableError):
        callbacks.run_failed({"dag_run": RUN})

    assert [said["subject"] for said in heard] == ["ARR-WHS-001 book 2026-03-02"]
    assert "docs/runbooks/ARR-WHS-001.md" in heard[0]["text"]


def test_run_that_was_killed_without_a_word_is_told(monkeypatch, listener, own_warehouse_url):
    heard, address = listener
    monkeypatch.setenv("AIRFLOW_CONN_ONCALL", json.dumps({"conn_type": "http", "host": address}))
    monkeypatch.setenv("ARREARS_ALERT_CONNECTION", "oncall")
    monkeypatch.setenv("ARREARS_WAREHOUSE_URL", own_warehouse_url)
    callbacks.run_started({"dag_run": RUN})

    callbacks.run_failed({"dag_run": RUN})

    assert [said["subject"] for said in heard] == ["ARR-RUN-FAILED book 2026-03-02"]


def test_failure_is_posted(monkeypatch, listener):
    heard, address = listener
    monkeypatch.setenv("AIRFLOW_CONN_ONCALL", json.dumps({"conn_type": "http", "host": address}))
    monkeypatch.setenv("ARREARS_ALERT_CONNECTION", "oncall")

    callbacks._notify("ARR-VAL-002 book 2026-03-02", MESSAGE)  # noqa: SLF001  as above

    assert heard == [{"subject": "ARR-VAL-002 book 2026-03-02", "text": MESSAGE}]


@pytest.mark.parametrize(
    ("states", "told", "last"),
    [
        pytest.param({"age": "success", "publish": "success"}, [], "finished", id="all well"),
        pytest.param(
            {"age": "failed", "publish": "success"}, ["ARR-RUN-FAILED book 2026-03-02"], "failed", id="one not"
        ),
    ],
)
def test_run_is_as_good_as_its_tasks_though_airflow_asks_the_last_one_alone(
    *, monkeypatch, listener, own_warehouse_url, states, told, last
):
    """Which states there are is Airflow's to say: tests/airflow/test_killed_components.py asks a real one."""
    heard, address = listener
    monkeypatch.setenv("AIRFLOW_CONN_ONCALL", json.dumps({"conn_type": "http", "host": address}))
    monkeypatch.setenv("ARREARS_ALERT_CONNECTION", "oncall")
    monkeypatch.setenv("ARREARS_WAREHOUSE_URL", own_warehouse_url)
    monkeypatch.setattr(RuntimeTaskInstance, "get_task_states", lambda **asked: {asked["run_ids"][0]: states})

    callbacks.run_succeeded({"dag_run": RUN})

    assert [said["subject"] for said in heard] == told
    assert [entry.state_code for entry in entries_of(own_warehouse_url, "book", RUN.run_id)] == [last]
