"""Retention: lists, drops, leaves facts; whole or gone after a kill; what a dropped date answers."""

import os
import shutil
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from arrears.errors import PartitionDroppedError, RuleInputError
from arrears.jobs.day import Day
from arrears.jobs.explain import explain
from arrears.jobs.extract import extract
from arrears.jobs.previous import previous_date
from arrears.jobs.publish import publish
from arrears.jobs.restate import dates_to_restate
from arrears.jobs.retention import retention
from arrears.jobs.status import status
from arrears.sources.vault import RejectedRow, keep_rejected, rejected_days
from arrears.warehouse.connection import transaction
from arrears.warehouse.tables import FACTS, MART
from pydantic import SecretStr
from sqlalchemy import text
from support.books import make_book, put, rows_of
from support.facts import DAY, NOON, put_day

DAYS = [DAY + timedelta(days=number) for number in range(6)]
GONE = DAYS[:4]  # of 6 days, 2 are kept; the first one closes no month
LOANS = "core__loan_delinquency_daily"
SNAPSHOTS = {"extract__loan", "raw__loan", *(one.table for one in FACTS if one.table.startswith("core__"))}
REJECTED = RejectedRow(1, "loan.csv", 2, "type", {"loan_id": "somebody's words"})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Six dates, made once for all tests."""
    folder = tmp_path_factory.mktemp("made")
    settings = make_book(folder)
    for day in DAYS:
        put(settings, "extract__loan", day, [{"loan_id": "late"}])
        put(settings, "raw__loan", day, [{"loan_id": "late"}])
        put_day(settings, day)
        keep_rejected(settings, "book", day, "extract__loan", [REJECTED])
    return folder


@pytest.fixture
def settings(made, tmp_path):
    """A deployment without a warehouse; six dates count as published, the last two are within their term."""
    settings = make_book(tmp_path)
    for name in ("lake", "vault"):
        shutil.copytree(made / name, tmp_path / name)
    return settings.model_copy(update={"keep_full_snapshots_days": 2, "keep_month_ends_months": 0})


def files(settings):
    root = settings.portfolios.parent
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and path.name != ".lock")


def in_lake(settings, table):
    return Day.open("book", DAYS[0], settings=settings).lake.dates("book", table)


def drop(settings, **rest):
    return retention("book", dry_run=False, settings=settings, **rest)


# ------------------------------------------------------------------------------------------------------ what goes
def test_dry_run_lists_and_deletes_nothing(settings):
    before = files(settings)

    found = retention("book", settings=settings)

    assert found["dates"] == [day.isoformat() for day in GONE]
    assert (found["partitions"], found["rejected_rows"]) == (len(GONE) * len(SNAPSHOTS), len(GONE))
    assert found["bytes"] > 0
    assert found["kept"] == {"within term": 1, "newest": 1}
    assert files(settings) == before


def test_drop_takes_what_the_dry_run_lists_and_leaves_the_rest(settings):
    listed = retention("book", settings=settings)
    kept = {table: rows_of(settings, table, DAYS[-1]) for table in (LOANS, "raw__loan")}

    done = drop(settings)

    assert {**done, "dry_run": True} == listed
    assert in_lake(settings, "extract__loan") == in_lake(settings, "raw__loan") == in_lake(settings, LOANS) == DAYS[4:]
    assert in_lake(settings, "out__par_daily") == DAYS
    assert rejected_days(settings, "book") == {DAYS[4]: 1, DAYS[5]: 1}
    assert not [path for path in files(settings) if str(GONE[0]) in path and "part-" in path and "out__" not in path]
    assert kept == {table: rows_of(settings, table, DAYS[-1]) for table in kept}


def test_dropping_twice_changes_nothing_more(settings):
    drop(settings)
    after = files(settings)

    again = drop(settings)

    assert (again["dates"], again["partitions"], again["bytes"], again["rejected_rows"]) == ([], 0, 0, 0)
    assert files(settings) == after


def test_month_end_keeps_its_tables_and_loses_its_rejected_values(settings):
    longer = settings.model_copy(update={"keep_month_ends_months": 1})
    put_day(longer, DAY - timedelta(days=1))  # the close of February
    put(longer, "raw__loan", DAY - timedelta(days=1), [{"loan_id": "late"}])
    keep_rejected(longer, "book", DAY - timedelta(days=1), "raw__loan", [REJECTED])

    found = drop(longer)

    assert found["kept"]["month end"] == 1
    assert in_lake(longer, "raw__loan") == [DAY - timedelta(days=1), *DAYS[4:]]
    assert set(rejected_days(longer, "book")) == set(DAYS[4:])


def test_stale_date_holds_itself_and_the_date_before_it(settings):
    put(settings, "raw__loan", DAYS[2], [{"loan_id": "late"}, {"loan_id": "other"}])
    day = Day.open("book", DAYS[2], settings=settings)
    with day.work() as work:
        work.read("raw__loan")
        work.write(LOANS, select=f"SELECT * EXCLUDE (portfolio, business_date) FROM ({_previous(work, DAYS[2])})")
    put(settings, "raw__loan", DAYS[2], [{"loan_id": "late"}])

    found = drop(settings)

    assert found["dates"] == [DAYS[0].isoformat()]
    assert found["awaited_since"] == DAYS[1]
    assert in_lake(settings, "raw__loan") == DAYS[1:]


def _previous(work, day):
    work.read(LOANS, day, view="before")
    return "SELECT * FROM before"


# ------------------------------------------------------------------------------------------------- killed midway
@pytest.mark.parametrize("place", ["retention.forgotten", "drop.noted", "drop.unlisted"])
def test_killed_retention_leaves_no_partition_that_claims_more_than_it_has(settings, tmp_path, place):
    whole = retention("book", settings=settings)
    marker = tmp_path / "strike"
    marker.touch()
    folders = {
        f"ARREARS_{name.upper()}": str(getattr(settings, name)) for name in ("portfolios", "policies", "strategies")
    }
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ARREARS_")},
        **folders,
        "ARREARS_LAKE_URL": settings.lake_url,
        "ARREARS_FAILPOINT": place,
        "ARREARS_FAILPOINT_FILE": str(marker),
    }
    script = (
        "from arrears.settings import Settings; from arrears.jobs.retention import retention; "
        "settings = Settings(warehouse_url=None, keep_full_snapshots_days=2, keep_month_ends_months=0); "
        "retention('book', dry_run=False, settings=settings)"
    )

    killed = subprocess.run([sys.executable, "-c", script], env=environment, check=False)

    assert killed.returncode == -signal.SIGKILL
    lake = Day.open("book", DAYS[0], settings=settings).lake
    listed = [key for key in lake.stored("book") if lake.find(key)]
    assert listed
    assert all(lake.intact(key) for key in listed)
    assert drop(settings)["partitions"] in {whole["partitions"], whole["partitions"] - 1}
    assert {key.business_date for key in lake.stored("book") if not key.table.startswith("out__")} == set(DAYS[4:])
    assert set(rejected_days(settings, "book")) == set(DAYS[4:])


# ----------------------------------------------------------------------------------- what a dropped date answers
def test_status_counts_dropped_dates_and_calls_none_of_them_stale(settings):
    drop(settings)
    path = settings.portfolios / "book/portfolio.yaml"
    path.write_text(path.read_text().replace("title: Test book", "title: Another book"))

    [book] = status(settings)

    assert book["dates_published"] == len(DAYS)
    assert book["dropped"] == f"ARR-LAK-005: 4 dates, {GONE[0]} to {GONE[-1]}"
    assert [one["business_date"] for one in book["stale"]] == DAYS[4:]


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda s: explain("book", GONE[1], "late", settings=s), id="explain"),
        pytest.param(lambda s: extract("book", GONE[1], "loan", settings=s), id="extract"),
        pytest.param(lambda s: rows_of(s, LOANS, GONE[1]), id="read"),
    ],
)
def test_dropped_date_is_told_as_dropped(settings, ask):
    drop(settings)

    with pytest.raises(PartitionDroppedError, match="ARR-LAK-005"):
        ask(settings)


def test_restating_a_dropped_date_names_the_first_that_can_be(settings):
    drop(settings)
    path = settings.portfolios / "book/portfolio.yaml"
    path.write_text(path.read_text().replace("title: Test book", "title: Another book"))

    with pytest.raises(PartitionDroppedError, match=f"--from {DAYS[5]} or later"):
        dates_to_restate("book", DAYS[1], DAYS[5], settings=settings)
    assert dates_to_restate("book", DAYS[5], DAYS[5], settings=settings) == [DAYS[5]]


def test_day_after_a_dropped_one_is_still_its_successor(settings):
    drop(settings)

    assert previous_date(Day.open("book", DAYS[4], settings=settings)) == GONE[-1]
    assert dates_to_restate("book", DAYS[0], DAYS[5], settings=settings) == []


def test_written_again_a_dropped_partition_is_there_again(settings):
    drop(settings)

    put(settings, "raw__loan", GONE[0], [{"loan_id": "late"}])

    assert [row["loan_id"] for row in rows_of(settings, "raw__loan", GONE[0])] == ["late"]
    assert in_lake(settings, "raw__loan") == [GONE[0], *DAYS[4:]]


def test_terms_without_a_single_day_are_refused(settings):
    with pytest.raises(RuleInputError):
        drop(settings.model_copy(update={"keep_full_snapshots_days": 0}))


# ------------------------------------------------------------------------------------------------- with a warehouse
def test_published_dates_stay_published_and_the_vault_forgets(settings, warehouse_url, monkeypatch):
    monkeypatch.setattr("arrears.jobs.publish.decide_on_staged", lambda *_: None)  # the second gate has its own tests
    settings = settings.model_copy(update={"warehouse_url": SecretStr(warehouse_url)})
    for day in DAYS:
        publish("book", day, is_backfill=True, now=NOON, settings=settings)
        keep_rejected(settings, "book", day, "raw__loan", [REJECTED])
    published = counted(warehouse_url)

    found = drop(settings)

    assert found["rejected_rows"] == len(GONE)
    assert rejected_days(settings, "book") == {DAYS[4]: 1, DAYS[5]: 1}
    assert counted(warehouse_url) == published
    assert (status(settings)[0]["dates_published"], status(settings)[0]["stale"]) == (len(DAYS), [])
    with pytest.raises(PartitionDroppedError):
        publish("book", GONE[0], is_backfill=True, now=NOON, settings=settings)


def counted(url):
    with transaction(url) as connection:
        found = {
            name: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() for name, table in MART.items()
        }
    assert sum(found.values()) > 0
    return found
