"""The pipeline's figures equal the demo's truth for every loan on each of the three dates, on a real PostgreSQL."""

from datetime import date, timedelta

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
from arrears.sources.demo import load_demo
from arrears.sources.demo.files import LEADING

AS_OF = date(2026, 3, 16)
DATES = [AS_OF - timedelta(days=back) for back in (2, 1, 0)]
LOANS = 5_000
PORTFOLIO = "demo_travel_cn"
FIGURES = (
    *("status_code", "is_open", "past_due_on", "past_due_days", "paused_days", "delinquent_days", "past_due_minor"),
    *(f"past_due_{name}_minor" for name in ("principal", "interest", "fee", "penalty")),
    "outstanding_principal_minor",
)


@pytest.fixture(scope="module")
def run(warehouse_url, tmp_path_factory):
    """The demo extracted, validated and aged for three dates: settings, truth file, what validation said."""
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARREARS_WAREHOUSE_URL", warehouse_url)
        patch.setenv("ARREARS_DEMO_FIRST_DATE", DATES[0].isoformat())
        settings = Settings(lake_url=f"file://{folder / 'lake'}")
        load_demo(warehouse_url, loans=LOANS, as_of=AS_OF, seed=7, truth=folder / "truth.parquet")
        said = {}
        for day in DATES:
            assert source_is_ready(PORTFOLIO, day, settings=settings)
            for noun in tables_to_extract(PORTFOLIO, settings=settings):
                extract(PORTFOLIO, day, noun, settings=settings)
            said[day] = validate(PORTFOLIO, day, settings=settings)
            age(PORTFOLIO, day, settings=settings)
        yield settings, folder / "truth.parquet", said


def rows_of(settings, table, day):
    """A partition as an Arrow table."""
    with duckdb.connect() as connection:
        Lake(settings.lake_url).view(connection, PartitionKey(PORTFOLIO, table, day))
        return connection.sql(f"FROM {table}").to_arrow_table()


@pytest.mark.parametrize("day", DATES, ids=str)
def test_every_loan_is_aged_as_it_truly_is(run, day):
    settings, path, _ = run
    truth = {row["loan_id"]: row for row in pq.read_table(path, filters=[("business_date", "=", day)]).to_pylist()}
    aged = {row["loan_id"]: row for row in rows_of(settings, AGED, day).to_pylist()}

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
    settings, _, said = run
    quarantine = rows_of(settings, "out__quarantine", day).to_pylist()

    rules = {(row["table_name"].removeprefix("raw__"), row["rule_id"]) for row in quarantine}

    assert {
        ("loan", "loan.currency_known"),
        ("instalment", "instalment.amounts_not_negative"),
        ("transaction", "transaction.reversal_names_original"),
        ("transaction", "reference"),
        ("contact", "code"),
        ("consent", "reference"),
    } <= rules
    assert said[day]["control_totals"] == 10
    rejected = {noun: counts["rejected"] for noun, counts in said[day]["tables"].items()}
    assert {noun for noun, count in rejected.items() if count} <= set(LEADING)
    assert not {noun for noun in ("pause", "party", "contact_point", "agent_shift", "queue") if rejected[noun]}


def test_a_day_read_again_is_the_same_day(run, monkeypatch, warehouse_url):
    settings, *_ = run
    monkeypatch.setenv("ARREARS_WAREHOUSE_URL", warehouse_url)
    monkeypatch.setenv("ARREARS_DEMO_FIRST_DATE", DATES[0].isoformat())
    lake = Lake(settings.lake_url)
    tables = [f"raw__{noun}" for noun in LEADING]
    before = {table: lake.manifest(PartitionKey(PORTFOLIO, table, DATES[0])).content_hash for table in tables}

    for noun in tables_to_extract(PORTFOLIO, settings=settings):
        extract(PORTFOLIO, DATES[0], noun, refresh_source=True, settings=settings)
    validate(PORTFOLIO, DATES[0], settings=settings)

    day = Day.open(PORTFOLIO, DATES[0], settings=settings)
    assert before.keys() <= CONTRACTS.keys()
    assert {table: day.lake.manifest(day.key(table)).content_hash for table in tables} == before
