"""A day that is not there by its hour raises somebody, whatever Airflow does."""

import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from arrears.errors import AlarmUndeliveredError, PortfolioUnknownError
from arrears.jobs.watch import Alarm, tell, watch
from arrears.warehouse.connection import transaction
from pydantic import SecretStr
from sqlalchemy import text
from support.books import make_book
from support.facts import DAY, put_publication
from support.outbox import put_steps, step
from support.warehouse import put_row

MIDNIGHT = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)  # 00:00 of DAY in Asia/Shanghai
DUE = MIDNIGHT + timedelta(days=1, hours=8 + 2)  # of the day after: its source's deadline and our margin
ALARM = Alarm("ARR-RUN-LATE", "book", "last published: nothing yet", "docs/runbooks/ARR-RUN-LATE.md")


@pytest.fixture
def settings(tmp_path, warehouse_url):
    yield make_book(tmp_path).model_copy(update={"warehouse_url": SecretStr(warehouse_url)})
    with transaction(warehouse_url) as connection:
        connection.execute(text("TRUNCATE ops.publish_ledger, ops.notification CASCADE"))


@pytest.fixture
def receiver():
    """A web server that keeps what is posted to it, and answers with the status it is told to."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(server.status)
            self.end_headers()

        def log_message(self, *_):
            """Nothing on the terminal."""

    taken = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.status, server.taken = 204, taken
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def webhook(settings, port):
    return settings.model_copy(update={"watch_webhook": SecretStr(f"http://127.0.0.1:{port}/hook?token=secret")})


def published(settings):
    put_publication(settings.warehouse, DAY)


@pytest.mark.parametrize(
    ("now", "is_late"),
    [
        pytest.param(DUE - timedelta(seconds=1), False, id="a-second-before-its-hour-yesterday-will-do"),
        pytest.param(DUE, True, id="at-its-hour-it-must-be-there"),
        pytest.param(DUE + timedelta(days=30), True, id="a-month-later-still"),
        pytest.param(MIDNIGHT, False, id="on-its-own-day-it-is-there"),
    ],
)
def test_a_day_is_late_from_its_hour_on(settings, now, is_late):
    published(settings)

    alarms = watch(settings, now)

    assert [alarm.code for alarm in alarms] == (["ARR-RUN-LATE"] if is_late else [])


def test_an_alarm_says_what_is_there_and_what_should_be(settings):
    published(settings)

    [alarm] = watch(settings, DUE)

    assert alarm.portfolio == "book"
    assert alarm.found == "last published: 2026-03-02; expected 2026-03-03 by now"
    assert alarm.runbook == "docs/runbooks/ARR-RUN-LATE.md"


def test_product_about_which_contact_has_stopped_rings_with_its_newest_day_alone(settings):
    figure = {"table_name": "raw__transaction", "verdict_code": "holds"}
    published(settings)
    with transaction(settings.warehouse) as connection:
        for day, code in ((DAY, "slice_rows__tour"), (DAY - timedelta(days=1), "slice_rows__cruise")):
            row = {"portfolio": "book", "business_date": day, "profile_code": code, **figure}
            put_row(connection, "mart.fct_data_quality_daily", **row)

    alarms = watch(settings, MIDNIGHT)

    with transaction(settings.warehouse) as connection:
        connection.execute(text("DELETE FROM mart.fct_data_quality_daily"))
    assert [(alarm.code, alarm.portfolio, alarm.found) for alarm in alarms] == [
        ("ARR-VAL-006", "book", f"slice_rows__tour of {DAY}; expected figures as ever")
    ]


def test_a_portfolio_never_published_is_watched_only_when_named(settings):
    assert watch(settings, DUE) == []
    assert [alarm.found for alarm in watch(settings, DUE, ["book"])] == [
        "last published: nothing yet; expected 2026-03-03 by now"
    ]


def test_before_the_first_date_nothing_is_late(settings):
    assert watch(settings, MIDNIGHT, ["book"]) == []


def test_an_unknown_portfolio_is_refused(settings):
    with pytest.raises(PortfolioUnknownError):
        watch(settings, DUE, ["nobody"])


def test_a_folder_with_a_mistake_is_an_alarm_of_its_own(settings):
    published(settings)
    (settings.portfolios / "book/portfolio.yaml").write_text("title: [")

    assert [(alarm.code, alarm.portfolio) for alarm in watch(settings, MIDNIGHT)] == [("ARR-CFG-001", "book")]


def test_a_warehouse_that_does_not_answer_is_an_alarm(settings):
    gone = settings.model_copy(update={"warehouse_url": SecretStr("postgresql+psycopg://nobody@127.0.0.1:1/none")})

    assert [alarm.code for alarm in watch(gone, DUE)] == ["ARR-WHS-001"]


def test_a_send_that_nobody_settles_is_an_alarm(settings):
    published(settings)
    since = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
    put_steps(settings.warehouse, [step(name, state_code="unknown", changed_at=since) for name in "ab"])

    before, after = (watch(settings, since + timedelta(hours=4, seconds=second)) for second in (-1, 0))

    assert before == []
    [alarm] = after
    assert alarm.code == "ARR-SND-008"
    assert alarm.found.startswith(
        "2 sends unknown, the oldest since 2026-03-02 05:00 UTC; expected each settled within"
    )


@pytest.mark.parametrize(("count", "is_alarm"), [(19, False), (20, True)])
def test_many_unknown_sends_are_an_alarm_however_young(settings, count, is_alarm):
    published(settings)
    put_steps(settings.warehouse, [step(f"u{number}", state_code="unknown") for number in range(count)])
    put_steps(settings.warehouse, [step(f"s{number}", state_code="sent") for number in range(30)])

    found = [(alarm.code, alarm.found[:16]) for alarm in watch(settings, MIDNIGHT)]

    assert found == ([("ARR-SND-008", f"{count} sends unknown")] if is_alarm else [])


# ------------------------------------------------------------------------------------------------------------ telling
def test_alarms_are_posted(settings, receiver):
    assert tell(webhook(settings, receiver.server_port), [ALARM], DUE)

    assert receiver.taken == [{"at": DUE.isoformat(), "alarms": [vars(ALARM)]}]


def test_nothing_is_posted_without_an_alarm_or_without_an_address(settings, receiver):
    assert not tell(webhook(settings, receiver.server_port), [], DUE)
    assert not tell(settings, [ALARM], DUE)
    assert receiver.taken == []


def test_an_alarm_not_taken_is_an_error_that_hides_the_address(settings, receiver):
    receiver.status = 403

    with pytest.raises(AlarmUndeliveredError, match="HTTP 403") as raised:
        tell(webhook(settings, receiver.server_port), [ALARM], DUE)

    assert "secret" not in str(raised.value)


def test_a_receiver_that_is_not_there_is_an_error_that_hides_the_address(settings):
    with pytest.raises(AlarmUndeliveredError, match="ConnectError") as raised:
        tell(webhook(settings, 1), [ALARM], DUE)

    assert "secret" not in str(raised.value)


def test_the_command_exits_1_with_alarms_and_posts_them(settings, receiver, monkeypatch):
    published(settings)
    for name in ("portfolios", "policies", "strategies"):
        monkeypatch.setenv(f"ARREARS_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setenv("ARREARS_WAREHOUSE_URL", settings.warehouse)
    monkeypatch.setenv("ARREARS_WATCH_WEBHOOK", f"http://127.0.0.1:{receiver.server_port}/")

    done = subprocess.run(
        [sys.executable, "-m", "arrears", "watch", "--json"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1, done.stderr
    assert [alarm["code"] for alarm in json.loads(done.stdout)] == ["ARR-RUN-LATE"]
    assert [alarm["portfolio"] for alarm in receiver.taken[0]["alarms"]] == ["book"]
