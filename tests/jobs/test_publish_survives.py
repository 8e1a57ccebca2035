"""Publishing under lost connections and killed processes: the ledger says what happened, a rerun ends the same."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from arrears.errors import WarehouseUnreachableError
from arrears.jobs.publish import publish
from arrears.warehouse.connection import transaction
from arrears.warehouse.ledger import published_hash
from arrears.warehouse.tables import MART, STG
from pydantic import SecretStr
from sqlalchemy import make_url, text
from support.books import make_book
from support.facts import DAY, NOON, put_day
from support.proxy import CommitCutter

LEDGER_ROW = b"INSERT INTO ops.publish_ledger"
CHILD = """
from datetime import date, datetime
from pathlib import Path
from arrears.jobs.publish import publish
from arrears.settings import load_settings
publish("book", date.fromisoformat({day!r}), is_backfill=False, now=datetime.fromisoformat({now!r}),
        settings=load_settings())
"""


@pytest.fixture
def settings(tmp_path, warehouse_url):
    yield make_book(tmp_path).model_copy(update={"warehouse_url": SecretStr(warehouse_url)})
    with transaction(warehouse_url) as connection:
        tables = [*MART.values(), *STG.values(), "ops.publish_ledger", "ops.data_freshness", "ops.notification"]
        connection.execute(text(f"TRUNCATE {', '.join(map(str, tables))}"))


def run(settings):
    return publish("book", DAY, is_backfill=False, now=NOON, settings=settings)


def rows(settings, statement):
    with transaction(settings.warehouse) as connection:
        return connection.execute(text(statement)).all()


def content(settings):
    """Everything that is published, without the marks of time and of the publication."""
    facts = {name: sorted(rows(settings, f"SELECT * FROM {name}"), key=repr) for name in map(str, MART.values())}
    outbox = rows(settings, "SELECT step_key, state_code, not_after_at FROM ops.notification ORDER BY 1")
    totals = rows(settings, "SELECT content_hash, control_totals, inputs FROM ops.publish_ledger")
    freshness = rows(settings, "SELECT dataset, status_code, rows, content_hash FROM ops.data_freshness ORDER BY 1")
    return {**facts, "outbox": outbox, "ledger": totals, "freshness": freshness}


def through(proxy, settings):
    url = make_url(settings.warehouse).set(port=proxy.port).render_as_string(hide_password=False)
    return settings.model_copy(update={"warehouse_url": SecretStr(url)})


def cutter(settings, *strikes):
    return CommitCutter(make_url(settings.warehouse).port, LEDGER_ROW, strikes)


# --------------------------------------------------------------------------------------------------- lost connections
@pytest.fixture
def without_second_gate(monkeypatch):
    monkeypatch.setattr("arrears.jobs.publish.decide_on_staged", lambda *_: None)


@pytest.mark.usefixtures("without_second_gate")
def test_commit_whose_answer_is_lost_is_found_in_the_ledger(settings):
    put_day(settings, planned=("a", "b"))
    proxy = cutter(settings, "answer lost")

    result = run(through(proxy, settings))

    proxy.close()
    assert proxy.cuts == 1
    assert (result["published"], result["released_contacts"]) == (True, 2)
    assert rows(settings, "SELECT count(*) FROM ops.publish_ledger") == [(1,)]
    assert published_hash(settings.warehouse, "book", DAY) == result["content_hash"]


@pytest.mark.usefixtures("without_second_gate")
def test_commit_that_never_arrived_is_tried_once_more(settings):
    put_day(settings, planned=("a", "b"))
    proxy = cutter(settings, "never arrived")

    result = run(through(proxy, settings))

    proxy.close()
    assert proxy.cuts == 1
    assert (result["published"], result["released_contacts"]) == (True, 2)
    assert rows(settings, "SELECT count(*) FROM ops.publish_ledger") == [(1,)]
    assert rows(settings, "SELECT count(*) FROM mart.fct_loan_daily") == [(3,)]


@pytest.mark.usefixtures("without_second_gate")
def test_commit_that_never_arrives_is_an_error_and_nothing_is_published(settings):
    put_day(settings, planned=("a", "b"))
    proxy = cutter(settings, "never arrived", "never arrived")

    with pytest.raises(WarehouseUnreachableError):
        run(through(proxy, settings))

    proxy.close()
    assert proxy.cuts == 2
    assert published_hash(settings.warehouse, "book", DAY) is None
    assert rows(settings, "SELECT count(*) FROM mart.fct_loan_daily") == [(0,)]
    assert rows(settings, "SELECT count(*) FROM ops.notification") == [(0,)]
    assert run(settings)["reason"] == "new content"


# --------------------------------------------------------------------------------------------------- killed processes
@pytest.mark.chaos
@pytest.mark.parametrize(
    ("place", "is_published"),
    [
        pytest.param("publish.in_staging", False, id="while staging"),
        pytest.param("publish.staged", False, id="staged and not audited"),
        pytest.param("publish.before_commit", False, id="with everything written and nothing committed"),
        pytest.param("publish.after_commit", True, id="right after the commit"),
    ],
)
@pytest.mark.parametrize("published_before", [False, True], ids=["on a new date", "on a published date"])
def test_publisher_killed(settings, tmp_path, place, is_published, published_before):
    if published_before:
        put_day(settings, loans=5, planned=("x",))
        run(settings)
    before = content(settings)
    put_day(settings, loans=3, planned=("a", "b"))

    killed = child(settings, tmp_path, failpoint=place)

    assert killed.returncode == -signal.SIGKILL
    assert (content(settings) != before) == is_published
    rerun = child(settings, tmp_path, failpoint=place)  # the same environment: a fail point strikes once
    assert rerun.returncode == 0, rerun.stderr.decode()
    survived = content(settings)
    assert [rows(settings, f"SELECT count(*) FROM {table}") for table in STG.values()] == [[(0,)]] * len(STG)
    assert survived == undisturbed(settings, published_before=published_before)


def child(settings, folder, *, failpoint):
    marker = Path(folder) / "failpoint"
    if not (Path(folder) / "struck").exists():
        marker.touch()
        (Path(folder) / "struck").touch()
    environment = {
        **os.environ,
        "ARREARS_WAREHOUSE_URL": settings.warehouse,
        "ARREARS_LAKE_URL": settings.lake_url,
        "ARREARS_PORTFOLIOS": str(settings.portfolios),
        "ARREARS_POLICIES": str(settings.policies),
        "ARREARS_STRATEGIES": str(settings.strategies),
        "ARREARS_FAILPOINT": failpoint,
        "ARREARS_FAILPOINT_FILE": str(marker),
    }
    script = CHILD.format(day=DAY.isoformat(), now=NOON.isoformat())
    return subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, check=False, timeout=120
    )


def undisturbed(settings, *, published_before):
    """What the same publications leave when nobody dies."""
    with transaction(settings.warehouse) as connection:
        tables = [*MART.values(), "ops.publish_ledger", "ops.data_freshness", "ops.notification"]
        connection.execute(text(f"TRUNCATE {', '.join(map(str, tables))}"))
    if published_before:
        put_day(settings, loans=5, planned=("x",))
        run(settings)
        put_day(settings, loans=3, planned=("a", "b"))
    run(settings)
    return content(settings)
