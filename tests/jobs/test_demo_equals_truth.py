"""The pipeline's figures equal the demos' truth for every loan on each of three dates.

One out of a real PostgreSQL, the other out of a real inbox.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from arrears.contracts import CONTRACTS
from arrears.jobs.age import LOANS as AGED
from arrears.jobs.age import age
from arrears.jobs.day import Day
from arrears.jobs.extract import extract, source_is_ready, tables_to_extract
from arrears.jobs.validate import validate
from arrears.lake import Lake, PartitionKey
from arrears.settings import Settings
from arrears.sources.demo import fill_demo
from arrears.sources.demo.files import LEADING
from arrears.sources.demo.lender import LENDERS

AS_OF = date(2026, 3, 16)
DATES = [AS_OF - timedelta(days=back) for back in (2, 1, 0)]
LOANS = 3_000
FIGURES = (
    *("status_code", "is_open", "past_due_on", "past_due_days", "paused_days", "delinquent_days", "past_due_minor"),
    *(f"past_due_{name}_minor" for name in ("principal", "interest", "fee", "penalty")),
    "outstanding_principal_minor",
)


@dataclass(frozen=True)
class Run:
    """A demo extracted, validated and aged for three dates."""

    portfolio: str
    settings: Settings
    truth: Path
    said: dict


@pytest.fixture(scope="module", params=sorted(LENDERS))
def run(request, warehouse_url, tmp_path_factory):
    """Each demo, its source filled for the three dates."""
    folder, portfolio = tmp_path_factory.mktemp("demo"), request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARREARS_WAREHOUSE_URL", warehouse_url)
        patch.setenv("ARREARS_DEMO_FIRST_DATE", DATES[0].isoformat())
        patch.setenv("ARREARS_DEMO_US_INBOX", str(folder / "inbox"))
        patch.setenv("ARREARS_DEMO_US_ARCHIVE", str(folder / "archive"))
        settings, truth = Settings(lake_url=f"file://{folder / 'lake'}"), folder / "truth.parquet"
        target = str(folder / "inbox") if LENDERS[portfolio].delivers == "inbox" else warehouse_url
        fill_demo(portfolio, loans=LOANS, seed=7, business_dates=DATES, target=target, truth=truth)
        said = {}
        for day in DATES:
            assert source_is_ready(portfolio, day, settings=settings)
            for noun in tables_to_extract(portfolio, settings=settings):
                extract(portfolio, day, noun, settings=settings)
            said[day] = validate(portfolio, day, settings=settings)
            age(portfolio, day, settings=settings)
        yield Run(portfolio, settings, truth, said)


def rows_of(run, table, day):
    """A partition as an Arrow table."""
    with duckdb.connect() as connection:
        Lake(run.settings.lake_url).view(connection, PartitionKey(run.portfolio, table, day))
        return connection.sql(f"FROM {table}").to_arrow_table()


@pytest.mark.parametrize("day", DATES, ids=str)
def test_every_loan_is_aged_as_it_truly_is(run, day):
    truth = {row["loan_id"]: row for row in pq.read_table(run.truth, filters=[("business_date", "=", day)]).to_pylist()}
    aged = {row["loan_id"]: row for row in rows_of(run, AGED, day).to_pylist()}

    wrong = {
        loan: {name: (aged[loan][name], row[name]) for name in FIGURES if aged[loan][name] != row[name]}
        for loan, row in truth.items()
        if any(aged[loan][name] != row[name] for name in FIGURES)
    }

    assert wrong == {}
    assert len(truth) > 0.99 * LOANS
    assert sum(row["past_due_days"] > 0 for row in truth.values()) > 100
    assert {row["status_code"] for loan, row in aged.items() if loan not in truth} <= {"cancelled"}


@pytest.mark.parametrize("day", DATES, ids=str)
def test_quarantine_holds_the_planted_mistakes_and_what_hangs_on_them(run, day):
    quarantine = rows_of(run, "out__quarantine", day).to_pylist()

    rules = {(row["table_name"].removeprefix("raw__"), row["rule_id"]) for row in quarantine}

    assert {
        ("loan", "loan.currency_known"),
        ("instalment", "instalment.amounts_not_negative"),
        ("transaction", "transaction.reversal_names_original"),
        ("transaction", "reference"),
        ("contact", "code"),
        ("consent", "reference"),
    } <= rules
    assert run.said[day]["control_totals"] == 10
    rejected = {noun: counts["rejected"] for noun, counts in run.said[day]["tables"].items()}
    assert {noun for noun, count in rejected.items() if count} <= set(LEADING)
    assert not {noun for noun in ("pause", "party", "contact_point", "agent_shift", "queue") if rejected[noun]}


def test_a_day_read_again_is_the_same_day(run):
    settings, lake = run.settings, Lake(run.settings.lake_url)
    tables = [f"raw__{noun}" for noun in LEADING]
    before = {table: lake.manifest(PartitionKey(run.portfolio, table, DATES[0])).content_hash for table in tables}

    for noun in tables_to_extract(run.portfolio, settings=settings):
        extract(run.portfolio, DATES[0], noun, refresh_source=True, settings=settings)
    validate(run.portfolio, DATES[0], settings=settings)

    day = Day.open(run.portfolio, DATES[0], settings=settings)
    assert before.keys() <= CONTRACTS.keys()
    assert {table: day.lake.manifest(day.key(table)).content_hash for table in tables} == before
