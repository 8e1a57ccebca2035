"""Which earlier day a date is compared with, and when it must wait."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from arrears.errors import ConfigurationError, PredecessorMissingError
from arrears.jobs.day import Day
from arrears.jobs.previous import previous_date
from arrears.jobs.publish import publish
from arrears.warehouse.tables import FACTS
from pydantic import SecretStr
from support.books import FIRST, make_book, put
from support.facts import NOON, put_day

NEXT, THIRD, FOURTH = (FIRST + timedelta(days=number) for number in (1, 2, 3))


@pytest.fixture
def settings(tmp_path):
    made = make_book(tmp_path)
    put_day(made, FIRST)
    return made


def previous(settings, business_date):
    return previous_date(Day.open("book", business_date, settings=settings))


def change_portfolio(settings, line):
    path = settings.portfolios / "book/portfolio.yaml"
    path.write_text(f"{path.read_text()}{line}\n")


def test_first_date_has_no_predecessor(settings):
    assert previous(settings, FIRST) is None


def test_date_is_compared_with_the_day_before(settings):
    assert previous(settings, NEXT) == FIRST


def test_date_before_the_first_is_refused(settings):
    with pytest.raises(ConfigurationError, match=str(FIRST)):
        previous(settings, FIRST - timedelta(days=1))


def test_missing_day_before_is_waited_for(settings):
    with pytest.raises(PredecessorMissingError, match=f"{NEXT} is not published") as refused:
        previous(settings, THIRD)

    assert refused.value.retryable


def test_allowed_gap_is_compared_with_the_last_published_date(settings):
    change_portfolio(settings, f"allowed_gaps: [{FOURTH}]")

    assert previous(settings, FOURTH) == FIRST


def test_gap_is_allowed_for_the_named_date_only(settings):
    change_portfolio(settings, f"allowed_gaps: [{FOURTH}]")

    with pytest.raises(PredecessorMissingError):
        previous(settings, THIRD)


def test_stale_day_before_is_waited_for_by_name_of_what_moved(settings):
    put(settings, "raw__loan", FIRST, [{"loan_id": "a"}])
    day = Day.open("book", FIRST, settings=settings)
    with day.work() as work:
        day.lake.view(work.connection, day.key("core__case_daily"), "cases_so_far")
        work.read("raw__loan")
        work.write("core__case_daily", select="SELECT * EXCLUDE (portfolio, business_date) FROM cases_so_far")
    assert previous(settings, NEXT) == FIRST

    put(settings, "raw__loan", FIRST, [{"loan_id": "a"}, {"loan_id": "b"}])

    with pytest.raises(PredecessorMissingError, match="stale: raw__loan of core__case_daily has changed"):
        previous(settings, NEXT)


def test_changed_configuration_alone_makes_nobody_wait(settings):
    change_portfolio(settings, "reject_limit_pct: 5")

    assert previous(settings, NEXT) == FIRST


@pytest.fixture
def with_warehouse(settings, warehouse_url, monkeypatch):
    monkeypatch.setattr("arrears.jobs.publish.decide_on_staged", lambda *_: None)  # the second gate has its own tests
    return settings.model_copy(update={"warehouse_url": SecretStr(warehouse_url)})


def test_warehouse_decides_what_is_published(with_warehouse):
    with pytest.raises(PredecessorMissingError, match="not published"):
        previous(with_warehouse, NEXT)

    publish("book", FIRST, is_backfill=True, now=NOON, settings=with_warehouse)
    assert previous(with_warehouse, NEXT) == FIRST

    put_day(with_warehouse, FIRST, loans=4)
    with pytest.raises(PredecessorMissingError, match="what is published is not what is in the lake"):
        previous(with_warehouse, NEXT)


def test_table_that_a_later_version_publishes_makes_nobody_wait(with_warehouse, own_warehouse_url, monkeypatch):
    settings = with_warehouse.model_copy(update={"warehouse_url": SecretStr(own_warehouse_url)})
    added = "out__data_quality_daily"
    before = tuple(contract for contract in FACTS if contract.table != added)
    for module in ("jobs.publish", "jobs.freshness", "warehouse.staging", "warehouse.publication"):
        monkeypatch.setattr(f"arrears.{module}.FACTS", before)
    lake = Path(settings.lake_url.removeprefix("file://"))
    shutil.rmtree(lake / "book" / added)
    publish("book", FIRST, is_backfill=True, now=NOON, settings=settings)
    for module in ("jobs.publish", "jobs.freshness", "warehouse.staging", "warehouse.publication"):
        monkeypatch.setattr(f"arrears.{module}.FACTS", FACTS)

    assert previous(settings, NEXT) == FIRST

    shutil.rmtree(lake / "book/out__par_daily")
    with pytest.raises(PredecessorMissingError, match="out__par_daily is not in the lake"):
        previous(settings, NEXT)
