"""A private value cannot be written down, and what looks like a person's stays out of every log."""

import copy
import json
import logging
import os
import pickle
import subprocess
import sys
from dataclasses import asdict, dataclass

import pytest
from airflow.sdk.serde import serialize
from arrears.pii import Private, scrubbed

NUMBER = "+1 202 555 0143"
PEOPLE = [
    "anna.muster@example.org",
    "+86 138 1234 5678",
    "13812345678",
    "138-1234-5678",
    "(212) 555-0187",
    "212.555.0187",
    "078-05-1120",
    "11010519491231002X",
    "8613812345678",
    "0086 138 1234 5678",
    "1-415-555-2671",
    "".join(chr(ord(digit) + 0xFEE0) for digit in "13812345678"),
]
NOBODY = [
    "2026-03-02T04:00:00+00:00",
    "3f2a9c1d-8844-4b7e-9f00-1234567890ab",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "rows=1000000 seconds=12.345 total_minor=4685252967052345344",
    "ledger_20260302.csv line 1042",
    "10.0.0.1:5432 and 127.0.0.1",
    "L-000123456789",
    "1.2.3 of 4567",
]


@dataclass
class Holder:
    number: Private


@pytest.mark.parametrize(
    "write", [repr, str, "{}".format, "{!r:>12}".format, "%s".__mod__], ids=["repr", "str", "{}", "{!r:>12}", "%s"]
)
def test_printing_shows_that_there_is_one_and_not_which(write):
    said = write(Private(NUMBER))

    assert "<private>" in said
    assert NUMBER not in said


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(json.dumps, id="json"),
        pytest.param(pickle.dumps, id="pickle"),
        pytest.param(copy.copy, id="copy"),
        pytest.param(copy.deepcopy, id="deepcopy"),
        pytest.param(lambda value: asdict(Holder(value)), id="a dataclass as a mapping"),
        pytest.param(serialize, id="XCom"),
        pytest.param(lambda value: serialize({"to": [value]}), id="deep in an XCom"),
    ],
)
def test_writing_it_down_is_refused(write):
    with pytest.raises((TypeError, AttributeError)) as refused:
        write(Private(NUMBER))

    assert NUMBER not in str(refused.value)


def test_private_values_are_compared_and_revealed_on_purpose():
    assert Private(NUMBER) == Private(NUMBER) != Private("+1 202 555 0144")
    assert len({Private(NUMBER), Private(NUMBER)}) == 1
    assert Private(NUMBER).reveal() == NUMBER


@pytest.mark.parametrize("value", PEOPLE)
def test_what_looks_like_a_person_is_taken_out(value):
    for text in (
        value,
        f"sent to {value}, again",
        f'{{"to": "{value}"}}',
        f"to={value}",
        f"tel:{value}",
        f"{value}.csv",
    ):
        assert value not in scrubbed(text), text


@pytest.mark.parametrize("value", NOBODY)
def test_figures_hashes_instants_and_identifiers_stay(value):
    assert scrubbed(value) == value


def test_a_value_that_was_revealed_is_known_by_heart():
    name = Private("Zwetana Quist")
    assert "Quist" in scrubbed("to Zwetana Quist")

    name.reveal()

    assert scrubbed("to Zwetana Quist") == "to <private>"


PROGRAM = """
import logging, sys, structlog
structlog.configure(processors=[structlog.processors.JSONRenderer()], logger_factory=structlog.PrintLoggerFactory())
bound = structlog.get_logger(); bound.info("before")
fixed = structlog.wrap_logger(structlog.PrintLogger(), processors=(structlog.processors.JSONRenderer(),)).bind(a=1)
fixed.info("before")
handler = logging.StreamHandler(sys.stdout); other = logging.getLogger("some.library")
other.addHandler(handler); other.propagate = False; other.setLevel("INFO")
from arrears import log_filter
log_filter.install(); log_filter.install()
v = "anna.muster@example.org"
other.info("to %s after %d tries", v, 3)
other.info("called %d", 13812345678); other.info("%s%s", "1381234", "5678")
other.info({"to": v}); other.info("%(to)s", {"to": v}); other.warning("no %s", ValueError(v))
try:
    raise ValueError(v)
except ValueError:
    other.exception("failed")
bound.info("sent", to=v, deep={"list": [v, 1], v: 1})
structlog.get_logger().warning(v)
fixed.info("sent", to=v); fixed.bind(to=v).warning("again")
structlog.configure(processors=(structlog.processors.KeyValueRenderer(),)); structlog.get_logger().info("late", to=v)
handler.setFormatter(logging.Formatter("%(message)s %(to)s %(deep)s"))
other.info("extra", extra={"to": v, "deep": [{"of": v}]})
logging.LoggerAdapter(other, {"to": v, "deep": 1}).info("adapted")
class Own(logging.Logger):
    def makeRecord(self, *given, **named):
        record = super().makeRecord(*given, **named)
        return record
own = Own("own"); own.addHandler(handler); own.warning("own", extra={"to": v, "deep": v})
"""


def test_the_filter_holds_for_any_logger_of_the_process_and_for_exceptions():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)

    said = done.stdout + done.stderr
    assert "anna" not in said
    assert said.count("<private>") == 19
    assert "5678" not in said
    assert "after 3 tries" in said
    assert "Traceback" in said


IN_A_TASK = """
import io, logging, structlog
from airflow.sdk.log import configure_logging
kept = io.BytesIO()
configure_logging(json_output=True, log_level="INFO", output=kept)  # as the task runner does
early = structlog.get_logger("early"); early.info("before")
from arrears import log_filter
log_filter.install()
v = "anna.muster@example.org"
early.info("sent", to=v); structlog.get_logger("late").info(v, deep=[v])
logging.getLogger("some.library").warning("to %s", v)
try:
    raise ValueError(v)
except ValueError:
    early.exception("failed"); logging.getLogger("some.library").exception("failed %d", 3)
print(kept.getvalue().decode())
"""


def test_the_filter_holds_in_the_log_of_an_airflow_task(tmp_path):
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", IN_A_TASK], capture_output=True, text=True, check=True, env=environment
    )

    lines = [json.loads(line) for line in done.stdout.splitlines() if line]
    assert "anna" not in done.stdout + done.stderr
    assert [line["event"].split("\n")[0] for line in lines] == [
        *("before", "sent", "<private>", "to <private>", "failed", "failed 3"),
    ]
    assert "ValueError: <private>" in lines[-1]["event"]


def test_dag_files_command_line_and_webhook_have_the_filter():
    from arrears.cli import main  # noqa: F401, PLC0415
    from arrears.feedback.webhook import webhook  # noqa: PLC0415
    from arrears.orchestration.defaults import task_defaults  # noqa: PLC0415
    from arrears.settings import Settings  # noqa: PLC0415

    before = logging.getLogRecordFactory()
    for install in (task_defaults, lambda: webhook(Settings())):
        logging.setLogRecordFactory(logging.LogRecord)
        install()
        record = logging.getLogRecordFactory()("x", logging.INFO, "", 0, "to %s", ("a.b@example.org",), None)
        assert record.getMessage() == "to <private>"
    logging.setLogRecordFactory(before)
