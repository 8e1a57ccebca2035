"""The marts of a million loans over sixty days: questions of BI, readers beside a publication, and the pages."""

from support.airflow_app import app_of, browsers  # noqa: I001  before anything imports Airflow

import statistics
import threading
import time
from types import SimpleNamespace

import psycopg
import pytest
from arrears.settings import INCLUDE, Settings
from arrears.warehouse import publication
from arrears.warehouse.connection import transaction
from arrears.warehouse.partitions import vacuum
from arrears.warehouse.reconciliation import DIFFERENCES
from arrears.warehouse.roles import BI_ROLE
from arrears.warehouse.tables import FACTS, MART, STG
from sqlalchemy import text
from support.big_mart import LAST, PORTFOLIO, fill
from support.questions import questions

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

LOANS, DAYS = 1_000_000, 60
QUESTION_SECONDS, PAGE_SECONDS, MOST_SLOWER = 2, 0.3, 2
READERS, READING_SECONDS, THINKING_SECONDS = 2, 45, 0.05
ASKED = {"portfolio": PORTFOLIO, "day": LAST.isoformat()}
PAGES = ("portfolio", "day", "account", "outbox")


@pytest.fixture(scope="module")
def mart(warehouse_url):
    begun = time.perf_counter()
    rows = fill(warehouse_url, LOANS, DAYS)
    say(f"{sum(rows.values()):,} rows in {time.perf_counter() - begun:.0f} s")
    return warehouse_url


@pytest.fixture
def reader(mart):
    with as_bi(mart) as connection:
        yield connection


def as_bi(url):
    connection = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
    connection.execute(f"SET ROLE {BI_ROLE}")
    return connection


def timed(work):
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def say(words):
    print(words)  # noqa: T201  pytest -s


def test_how_much_is_stored(mart):
    with psycopg.connect(mart.replace("+psycopg", "")) as connection:
        found = connection.execute(
            "SELECT coalesce(parent.relname, own.relname), sum(pg_total_relation_size(own.oid))::bigint, "
            "sum(own.reltuples)::bigint FROM pg_class own LEFT JOIN pg_inherits ON inhrelid = own.oid "
            "LEFT JOIN pg_class parent ON parent.oid = inhparent "
            "WHERE own.relnamespace = 'mart'::regnamespace AND own.relkind = 'r' GROUP BY 1 ORDER BY 2 DESC"
        ).fetchall()
    for name, size, rows in found[:12]:
        say(f"| `{name}` | {rows:,} | {size / 2**20:,.0f} |")
    say(f"| all | {sum(rows for _, _, rows in found):,} | {sum(size for _, size, _ in found) / 2**20:,.0f} |")
    assert sum(size for _, size, _ in found) / DAYS < 256 * 2**20  # what all loans, current ones too, would take a day


def test_every_question_is_answered_in_two_seconds(reader):
    seconds = {
        name: [timed(lambda sql=sql: reader.execute(sql, ASKED).fetchall()) for _ in range(3)]
        for name, sql in questions().items()
    }

    for name, (first, *again) in seconds.items():
        say(f"| {name} | {first:.3f} | {min(again):.3f} |")
    assert {name: took for name, took in seconds.items() if statistics.median(took) >= QUESTION_SECONDS} == {}


def test_readers_are_not_slowed_twofold_by_a_publication(mart):
    alone = latencies(mart)
    published, stop = [], threading.Event()
    publisher = threading.Thread(target=publish_until, args=(mart, stop, published))
    publisher.start()
    beside = latencies(mart)
    stop.set()
    publisher.join()

    before, after = (statistics.quantiles(found, n=100)[98] for found in (alone, beside))
    say(
        f"p99 of {len(alone)} alone {before:.3f} s, of {len(beside)} beside {len(published)} publications {after:.3f} s"
    )
    say(f"{len(published)} publications of {statistics.median(published):.1f} s")
    assert len(published) >= 2
    assert after < MOST_SLOWER * before


def latencies(url):
    """Seconds of each question, asked by several readers over and over."""
    found = []

    def read(offset):
        asked = list(questions().values())
        until = time.perf_counter() + READING_SECONDS
        with as_bi(url) as connection:
            while time.perf_counter() < until:
                for sql in asked[offset:] + asked[:offset]:
                    found.append(timed(lambda sql=sql: connection.execute(sql, ASKED).fetchall()))
                    time.sleep(THINKING_SECONDS)

    readers = [threading.Thread(target=read, args=(7 * number,)) for number in range(READERS)]
    for each in readers:
        each.start()
    for each in readers:
        each.join()
    return found


def publish_until(url, stop, published):
    """Replace the newest date over and over, as a publication does: staged, put in place, compared, vacuumed."""
    while not stop.is_set():
        published.append(timed(lambda: publish_again(url)))


def publish_again(url):
    of = SimpleNamespace(portfolio=PORTFOLIO, business_date=LAST, publication_id="bench")
    day = {"portfolio": PORTFOLIO, "business_date": LAST}
    rows = {}
    with transaction(url) as connection:
        for contract in FACTS:
            names = ", ".join(column.name for column in MART[contract.table].columns)
            stg = f"stg.{STG[contract.table].name}"
            connection.execute(text(f"DELETE FROM {stg}"))
            staged = text(
                f"INSERT INTO {stg} ({names}, publication_id) SELECT {names}, 'bench' FROM mart.{contract.mart} "
                "WHERE portfolio = :portfolio AND business_date = :business_date"
            )
            rows[contract.table] = connection.execute(staged, day).rowcount
    with transaction(url) as connection:
        for contract in FACTS:
            publication._replace_fact(connection, contract, of, rows[contract.table])  # noqa: SLF001  what is measured
        connection.execute(DIFFERENCES, day).fetchall()
    vacuum(url, LAST)


def test_pages_are_there_in_three_tenths_of_a_second(mart, monkeypatch):
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setenv("ARREARS_WAREHOUSE_URL", mart)
    monkeypatch.setenv("ARREARS_PORTFOLIOS", str(INCLUDE / "portfolios"))
    app = app_of(PORTFOLIO)
    browser = browsers(app)("operator")
    loan = "SELECT max(loan_id) FROM bi.loan_daily WHERE business_date = %s"
    with psycopg.connect(mart.replace("+psycopg", "")) as connection:
        wanted = {"account": {"q": connection.execute(loan, [LAST]).fetchone()[0]}}
    seconds = {}
    for name in PAGES:

        def ask(name=name):
            return browser.get(f"/arrears/{name}", params={"portfolio": PORTFOLIO, **wanted.get(name, {})})

        answers = [ask() for _ in range(2)]
        assert {answer.status_code for answer in answers} == {200}
        assert "Nothing to show yet" not in answers[0].text
        seconds[name] = [timed(ask) for _ in range(7)]

    for name, took in seconds.items():
        say(f"| {name} | {statistics.median(took) * 1000:.0f} | {max(took) * 1000:.0f} |")
    assert {name: took for name, took in seconds.items() if statistics.median(took) >= PAGE_SECONDS} == {}
