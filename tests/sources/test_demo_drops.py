"""The demo as file drops: every SELECT of demo_loan_us through a real inbox, closed on any of its days."""

import hashlib
import json
from datetime import date, timedelta

import duckdb
import pyarrow.parquet as pq
import pytest
from arrears.contracts.ledger import LEDGER
from arrears.errors import ConfigurationError
from arrears.jobs.day import Day
from arrears.jobs.extract import extract, source_is_ready, tables_to_extract
from arrears.lake import Lake, PartitionKey
from arrears.settings import Settings
from arrears.sources.demo import Order, fill_demo, write_demo
from arrears.sources.demo.drops import KINDS, MARKER
from arrears.sources.demo.files import LEADING

PORTFOLIO = "demo_loan_us"
AS_OF = date(2026, 3, 16)
DATES = [date(2025, 4, 1), date(2026, 3, 9), AS_OF]  # a month end, the day clocks were set, the last
LOANS = 1_200


def fill(inbox, dates=DATES, seed=7, truth=None):
    return fill_demo(PORTFOLIO, loans=LOANS, seed=seed, business_dates=dates, target=str(inbox), truth=truth)


@pytest.fixture(scope="module")
def inbox(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drops") / "inbox"
    fill(folder, truth=folder.parent / "truth.parquet")
    return folder


def content_of(folder):
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    assert files
    return files


def controls(folder):
    return {path.name: json.loads(path.read_text()) for path in folder.glob("control_*.json")}


def test_each_date_is_one_delivery_that_lists_every_kind(inbox):
    found = controls(inbox)

    assert {each["closing_date"] for each in found.values()} == {str(day - timedelta(days=1)) for day in DATES}
    for control in found.values():
        assert [file["kind"] for file in control["files"]] == list(KINDS)
    listed = {file["name"] for control in found.values() for file in control["files"]}
    assert {path.name for path in inbox.iterdir()} == listed | set(found) | {MARKER}


def test_money_is_summed_and_nothing_else(inbox):
    files = {file["kind"]: file for file in controls(inbox)[f"control_{AS_OF - timedelta(days=1)}.json"]["files"]}

    assert set(files["loan"]["sums"]) == {
        "principal_minor",
        "outstanding_principal_minor",
        "source_past_due_minor",
    }
    assert files["loan"]["sums"]["outstanding_principal_minor"] > 0
    assert set(files["transaction"]["sums"]) == {"amount_minor"}
    assert files["party"]["sums"] == {}


def test_an_equal_call_drops_nothing_and_a_new_date_only_itself(tmp_path):
    inbox = tmp_path / "inbox"
    first = fill(inbox, [DATES[0], AS_OF])
    for path in list(inbox.glob("*.*")):
        if path.name != MARKER:
            path.unlink()  # picked up

    again = fill(inbox, [DATES[0], AS_OF])
    between = fill(inbox, DATES)

    assert (first["source"], again["source"], between["source"]) == ("filled", "unchanged", "filled")
    assert {each["closing_date"] for each in controls(inbox).values()} == {str(DATES[1] - timedelta(days=1))}


def test_drops_are_the_same_for_the_same_seed(inbox, tmp_path):
    fill(tmp_path / "inbox")

    assert content_of(tmp_path / "inbox") == content_of(inbox)


@pytest.mark.parametrize(
    "other", [pytest.param({"seed": 8}, id="seed"), pytest.param({"dates": DATES[1:]}, id="another-first-date")]
)
def test_inbox_of_another_ledger_is_refused(inbox, other):
    before = content_of(inbox)

    with pytest.raises(ConfigurationError, match="another demo ledger"):
        fill(inbox, **other)

    assert content_of(inbox) == before


def test_truth_tells_every_date(inbox):
    truth = pq.read_table(inbox.parent / "truth.parquet", columns=["business_date"])
    stories = json.loads((inbox.parent / "stories.json").read_text())

    assert sorted(set(truth["business_date"].to_pylist())) == DATES
    assert {"between_two_zones", "seven_dials"} <= {story["story"] for story in stories}


def test_extract_is_what_the_ledger_files_hold(inbox, tmp_path, monkeypatch):
    monkeypatch.setenv("ARREARS_DEMO_FIRST_DATE", DATES[0].isoformat())
    monkeypatch.setenv("ARREARS_DEMO_US_INBOX", str(inbox))
    monkeypatch.setenv("ARREARS_DEMO_US_ARCHIVE", str(tmp_path / "archive"))
    settings = Settings(lake_url=f"file://{tmp_path / 'lake'}")
    (tmp_path / "ledger").mkdir()
    write_demo(Order.of(PORTFOLIO, loans=LOANS, seed=7, dates=DATES), tmp_path / "ledger")

    assert source_is_ready(PORTFOLIO, AS_OF, settings=settings)
    for noun in tables_to_extract(PORTFOLIO, settings=settings):
        extract(PORTFOLIO, AS_OF, noun, settings=settings)

    day = Day.open(PORTFOLIO, AS_OF, settings=settings)
    for contract in (contract for contract in LEDGER if contract.noun in LEADING):
        told_columns = pq.read_schema(tmp_path / "ledger" / f"{contract.noun}.parquet").names
        columns = ", ".join(told_columns)
        order = ", ".join(contract.key)
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            table = f"extract__{contract.noun}"
            Lake(settings.lake_url).view(connection, PartitionKey(PORTFOLIO, table, day.business_date))
            ledger = tmp_path / "ledger" / f"{contract.noun}.parquet"
            extracted = connection.sql(f"SELECT {columns} FROM {table} ORDER BY {order}").fetchall()
            told = connection.sql(f"SELECT {columns} FROM '{ledger}' ORDER BY {order}").fetchall()

        assert extracted
        assert extracted == told
