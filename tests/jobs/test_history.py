"""A portfolio's past, filled in one process: real days, in order, once, and going on where it was killed."""

import os
import shutil
import signal
import subprocess
import sys
from datetime import date
from itertools import pairwise

import pytest
from arrears.cli import app
from arrears.errors import PredecessorMissingError
from arrears.jobs.history import history
from arrears.jobs.run_day import run_day
from arrears.lake import Lake
from arrears.settings import Settings
from arrears.sources.demo import fill_demo
from arrears.warehouse.connection import transaction
from arrears.warehouse.ledger import published_days
from pydantic import SecretStr
from sqlalchemy import text
from support.books import rows_of
from typer.testing import CliRunner

BOOK = "demo_travel_cn"
FIRST, UNTIL = date(2026, 2, 1), date(2026, 3, 18)
DATES = [FIRST, date(2026, 3, 1), date(2026, 3, 16), date(2026, 3, 17)]
LOANS = 300


@pytest.fixture(scope="module")
def book(warehouse_url, tmp_path_factory):
    """Makes the demo with a past of two month ends, in a lake and a warehouse of its own each time; one source."""
    fill_demo(BOOK, loans=LOANS, seed=7, business_dates=[*DATES, UNTIL], target=warehouse_url)
    settings = Settings(lake_url="file:///nowhere")
    folder = tmp_path_factory.mktemp("portfolios") / BOOK
    shutil.copytree(settings.portfolios / BOOK, folder)
    for file in (path for path in folder.rglob("*") if path.is_file()):
        file.write_text(file.read_text().replace("${ARREARS_WAREHOUSE_URL}", warehouse_url))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARREARS_DEMO_FIRST_DATE", FIRST.isoformat())
        patch.setenv("ARREARS_DEMO_DAILY_FROM", DATES[2].isoformat())
        yield lambda url: Settings(
            warehouse_url=SecretStr(url),
            lake_url=f"file://{tmp_path_factory.mktemp('lake')}",
            portfolios=folder.parent,
            threads=1,
        )


@pytest.fixture(scope="module")
def filled(book, warehouse_url):
    """Settings of the filled book, and what was told on the way."""
    settings, told = book(warehouse_url), Told()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.sync", lambda: told.published_when_synced.append(list(published(settings))))
        patch.setattr("os.fsync", lambda _: pytest.fail("a file was waited for by itself"))
        results = history(BOOK, UNTIL, on_date=told.append, settings=settings)
    return settings, results, told


class Told(list):
    """What history said of itself, and the dates that were published whenever it waited for the disk."""

    def __init__(self):
        self.published_when_synced = []


def published(settings):
    return {day.business_date: day.content_hash for day in published_days(settings.warehouse, BOOK)}


def test_month_ends_and_days_are_published_in_order(filled):
    settings, results, told = filled

    assert [result["business_date"] for result in results] == [day.isoformat() for day in DATES]
    assert all(result["publication"]["published"] for result in results)
    assert list(published(settings)) == DATES
    assert [(past.business_date, past.done, past.of) for past in told] == [
        (day, number, len(DATES)) for number, day in enumerate([None, *DATES])
    ]


def test_each_date_is_compared_with_the_date_before_it(filled):
    settings, _, _ = filled

    compared = {
        day: {row["compared_with"] for row in rows_of(settings, "out__bucket_migration_daily", day, BOOK)}
        for day in DATES[1:]
    }

    assert compared == {day: {before} for before, day in pairwise(DATES)}


def test_nothing_of_the_past_can_be_sent(filled):
    settings, _, _ = filled

    with transaction(settings.warehouse) as connection:
        sent = connection.execute(text("SELECT count(*) FROM ops.notification")).scalar_one()
        released = connection.execute(text("SELECT count(released_contacts) FROM ops.publish_ledger")).scalar_one()

    assert (sent, released) == (0, 0)


def test_lake_is_on_the_disk_before_a_date_is_published(filled):
    _, results, told = filled

    assert len(results) == len(DATES)
    assert told.published_when_synced[::2] == [DATES[:number] for number in range(len(DATES))]


def test_second_call_finds_everything_standing(filled):
    settings, _, _ = filled
    before, told = published(settings), []

    assert history(BOOK, UNTIL, on_date=told.append, settings=settings) == []
    assert published(settings) == before
    assert [past.of for past in told] == [0]


def test_day_of_history_equals_the_day_run_by_itself(filled, book, own_warehouse_url):
    _, results, _ = filled
    alone = book(own_warehouse_url)

    hashes = [run_day(BOOK, day, settings=alone)["content_hashes"] for day in DATES[:2]]

    assert len(hashes[0]) > 20
    assert hashes == [result["content_hashes"] for result in results[:2]]


def test_restated_dates_share_one_lake_and_equal_the_history(filled, book, own_warehouse_url, monkeypatch):
    settings, opened = book(own_warehouse_url), []
    environment = {"WAREHOUSE_URL": settings.warehouse, "LAKE_URL": settings.lake_url, "THREADS": "1"}
    for name, value in {**environment, "PORTFOLIOS": str(settings.portfolios)}.items():
        monkeypatch.setenv(f"ARREARS_{name}", value)
    monkeypatch.setattr("arrears.jobs.day.Lake", lambda url, **how: opened.append(url) or Lake(url, **how))
    first, last = (day.isoformat() for day in DATES[:2])

    done = CliRunner().invoke(app, ["restate", "--portfolio", BOOK, "--from", first, "--to", last, "--json"])

    assert done.exit_code == 0, done.output
    assert published(settings) == {day: published(filled[0])[day] for day in DATES[:2]}
    assert opened == [settings.lake_url]


def test_date_is_refused_before_the_one_it_is_compared_with(book, own_warehouse_url):
    settings = book(own_warehouse_url)

    with pytest.raises(PredecessorMissingError, match=f"{DATES[0]} is not published"):
        run_day(BOOK, DATES[1], settings=settings)


@pytest.mark.chaos
@pytest.mark.parametrize("place", ["extract.after_write", "validate.after_quarantine", "publish.before_commit"])
def test_killed_history_goes_on_to_the_same_end(filled, book, own_warehouse_url, tmp_path, place):
    undisturbed, _, _ = filled
    settings = book(own_warehouse_url)
    history(BOOK, DATES[1], settings=settings)
    marker = tmp_path / "failpoint"
    marker.touch()
    environment = {
        **os.environ,
        "ARREARS_WAREHOUSE_URL": settings.warehouse,
        "ARREARS_LAKE_URL": settings.lake_url,
        "ARREARS_PORTFOLIOS": str(settings.portfolios),
        "ARREARS_FAILPOINT": place,
        "ARREARS_FAILPOINT_FILE": str(marker),
    }
    call = [sys.executable, "-m", "arrears", "history", "--portfolio", BOOK, "--until", UNTIL.isoformat(), "--json"]

    died = subprocess.run(call, env=environment, check=False, capture_output=True)
    half = list(published(settings))
    again = subprocess.run(call, env=environment, check=False, capture_output=True)

    assert died.returncode == -signal.SIGKILL, died.stderr[-500:]
    assert half == DATES[:1]
    assert again.returncode == 0, again.stderr[-500:]
    assert published(settings) == published(undisturbed)
