"""Where we stand, and which dates must run again."""

from datetime import timedelta

import pytest
from arrears.errors import PortfolioUnknownError
from arrears.jobs.publish import publish
from arrears.jobs.restate import dates_to_restate
from arrears.jobs.status import status
from arrears.warehouse import run_ledger
from arrears.warehouse.connection import transaction
from arrears.warehouse.tables import MART
from pydantic import SecretStr
from sqlalchemy import text
from support.books import make_book
from support.facts import DAY, NOON, put_day

DAYS = [DAY + timedelta(days=number) for number in range(6)]


@pytest.fixture
def settings(tmp_path, warehouse_url, monkeypatch):
    monkeypatch.setattr("arrears.jobs.publish.decide_on_staged", lambda *_: None)  # the second gate has its own tests
    yield make_book(tmp_path).model_copy(update={"warehouse_url": SecretStr(warehouse_url)})
    with transaction(warehouse_url) as connection:
        tables = [*MART.values(), "ops.publish_ledger", "ops.data_freshness", "ops.run_ledger"]
        connection.execute(text(f"TRUNCATE {', '.join(map(str, tables))}"))


def put_and_publish(settings, *days, **rest):
    for day in days:
        put_day(settings, day, **rest)
        publish("book", day, is_backfill=True, now=NOON, settings=settings)


def restated(settings, first=DAYS[0], last=DAYS[3]):
    return dates_to_restate("book", first, last, settings=settings)


def change_portfolio(settings, old, new):
    path = settings.portfolios / "book/portfolio.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


# ------------------------------------------------------------------------------------------------------------- status
def test_status_of_a_portfolio_never_run(settings):
    assert status(settings) == [
        {
            "portfolio": "book",
            "first_business_date": DAYS[0],
            "last_published": None,
            "dates_published": 0,
            "dropped": None,
            "stale": [],
            "troubles": [],
        }
    ]


def test_status_counts_published_dates(settings):
    put_and_publish(settings, DAYS[0], DAYS[1])

    [book] = status(settings)

    assert (book["last_published"], book["dates_published"], book["stale"]) == (DAYS[1], 2, [])


def test_status_names_a_date_whose_lake_has_gone_on(settings):
    put_and_publish(settings, DAYS[0], DAYS[1])
    put_day(settings, DAYS[0], loans=9)

    [book] = status(settings)

    assert book["stale"] == [
        {"business_date": DAYS[0], "why": ["what is published is not what is in the lake"]},
    ]


def test_status_names_what_moved_by_a_new_configuration(settings):
    put_and_publish(settings, DAYS[0])
    change_portfolio(settings, "title: Test book", "title: Another book")

    [book] = status(settings)

    assert [one["business_date"] for one in book["stale"]] == [DAYS[0]]
    assert "config of core__loan_delinquency_daily has changed" in book["stale"][0]["why"]


def test_status_tells_failed_and_unfinished_runs(settings):
    failure = {"error_code": "ARR-VAL-001", "message": "too many rejects", "runbook": "docs/runbooks/ARR-VAL-001.md"}
    run_ledger.failed(settings.warehouse, "book", DAYS[0], "run-1", "validate", **failure)
    run_ledger.started(settings.warehouse, "book", DAYS[1], "run-2")

    [book] = status(settings)

    assert [(one["business_date"], one["state_code"], one["error_code"]) for one in book["troubles"]] == [
        (DAYS[0], "failed", "ARR-VAL-001"),
        (DAYS[1], "started", ""),
    ]


def test_status_of_a_broken_folder_does_not_hide_the_others(settings):
    broken = settings.portfolios / "broken"
    broken.mkdir()
    (broken / "portfolio.yaml").write_text("title: 3\n")

    found = {one["portfolio"]: one for one in status(settings)}

    assert set(found) == {"book", "broken"}
    assert "ARR-CFG-001" in found["broken"]["error"]
    assert found["book"]["dates_published"] == 0


def test_status_without_a_warehouse_tells_what_is_in_the_lake(settings):
    put_day(settings, DAYS[0])

    [book] = status(settings.model_copy(update={"warehouse_url": None}))

    assert (book["last_published"], book["stale"], book["troubles"]) == (DAYS[0], [], [])


# ------------------------------------------------------------------------------------------------------------ restate
def test_nothing_to_restate_when_all_is_fresh(settings):
    put_and_publish(settings, *DAYS[:4])

    assert restated(settings) == []


def test_restating_begins_with_the_first_stale_date_and_goes_on_to_the_end(settings):
    put_and_publish(settings, *DAYS[:4])
    put_day(settings, DAYS[1], loans=9)

    assert restated(settings) == DAYS[1:4]
    assert restated(settings, last=DAYS[2]) == DAYS[1:3]
    assert restated(settings, first=DAYS[2]) == []


def test_missing_dates_are_restated_from_the_portfolios_first_date_on(settings):
    put_and_publish(settings, DAYS[0])

    assert restated(settings, first=DAYS[0] - timedelta(days=9), last=DAYS[2]) == DAYS[1:3]


def test_span_before_the_portfolios_first_date_is_empty(settings):
    assert restated(settings, first=DAYS[0] - timedelta(days=9), last=DAYS[0] - timedelta(days=1)) == []


def test_allowed_gap_that_was_bridged_stays_a_gap(settings):
    change_portfolio(settings, "collector_type", f"allowed_gaps: [{DAYS[3]}]\ncollector_type")
    put_and_publish(settings, DAYS[0], DAYS[3])
    put_day(settings, DAYS[0], loans=9)

    assert restated(settings) == [DAYS[0], DAYS[3]]


def test_allowed_gap_that_was_not_bridged_yet_is_missing(settings):
    change_portfolio(settings, "collector_type", f"allowed_gaps: [{DAYS[3]}]\ncollector_type")
    put_and_publish(settings, DAYS[0])

    assert restated(settings) == DAYS[1:4]


def test_restating_an_unknown_portfolio_is_refused(settings):
    with pytest.raises(PortfolioUnknownError):
        dates_to_restate("nobody", DAYS[0], DAYS[1], settings=settings)
