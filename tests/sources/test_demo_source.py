"""The demo as a source database: every SELECT of demo_travel_cn on a real PostgreSQL, closed on any day."""

from datetime import UTC, date, datetime, timedelta

import adbc_driver_manager
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from adbc_driver_postgresql import dbapi
from arrears.contracts.ledger import LEDGER
from arrears.contracts.model import ColumnType
from arrears.contracts.raw import LINEAGE
from arrears.errors import ConfigurationError, WarehouseUnreachableError
from arrears.portfolio import load_folder
from arrears.settings import Settings
from arrears.sources.demo import Order, fill_demo, last_days, write_demo
from arrears.sources.demo.files import LEADING, PORTFOLIO
from arrears.sources.demo.lender import LENDERS
from arrears.sources.demo.totals import MEASURES
from arrears.sources.staging import bound, check_delivery

AS_OF = date(2026, 3, 16)
LOANS, SEED = 2_000, 7
DATES = last_days(AS_OF)
SHANGHAI = timedelta(hours=8)
DELIVERED = [contract for contract in LEDGER if contract.noun in LEADING]  # the others are optional
NOUNS = [contract.noun for contract in DELIVERED]
KEYS = {contract.noun: contract.key for contract in LEDGER}
ARROW = {
    ColumnType.TEXT: pa.string(),
    ColumnType.BIGINT: pa.int64(),
    ColumnType.INTEGER: pa.int32(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.DATE: pa.date32(),
    ColumnType.INSTANT: pa.timestamp("us", tz="UTC"),
}
ORDER = Order.of("demo_travel_cn", loans=LOANS, seed=SEED, dates=DATES)
CLOSES = [AS_OF - timedelta(days=back) for back in (1, 2, 3, 60, 300)]


def fill(url, loans=LOANS, seed=SEED, truth=None):
    return fill_demo("demo_travel_cn", loans=loans, seed=seed, business_dates=DATES, target=url, truth=truth)


@pytest.fixture(scope="module")
def source(warehouse_url):
    """A filled source; answers what a SELECT of the portfolio delivers for a business date."""
    fill(warehouse_url)
    with dbapi.connect(warehouse_url.replace("+psycopg", "")) as connection, connection.cursor() as cursor:

        def delivered(noun, business_date):
            dates = {"business_date": business_date, "closing_date": business_date - timedelta(days=1)}
            select = (PORTFOLIO / f"{noun}.sql").read_text(encoding="utf-8")
            cursor.execute(bound(select, lambda name: f"DATE '{dates[name]}'"))
            return cursor.fetch_arrow_table()

        yield delivered


def by_key(table, noun):
    return {tuple(row[name] for name in KEYS[noun]): row for row in table.to_pylist()}


def close_of(closing_date):
    """The first instant after a local day."""
    return datetime.combine(closing_date + timedelta(days=1), datetime.min.time(), tzinfo=UTC) - SHANGHAI


@pytest.mark.parametrize("contract", DELIVERED, ids=NOUNS)
def test_select_delivers_the_contract(source, contract):
    table = source(contract.noun, AS_OF)

    check_delivery(contract, table.schema, f"{contract.noun}.sql")
    delivered = [c for c in contract.columns if not c.nullable or c.name in table.column_names]
    wanted = {column.name: ARROW[column.type] for column in delivered if column not in LINEAGE}
    assert {field.name: field.type for field in table.schema} == wanted
    assert table.num_rows > 0
    nulls = {name: table[name].null_count for name in wanted if not contract.column(name).nullable}
    assert not {name for name, count in nulls.items() if count}


@pytest.mark.parametrize("closing_date", CLOSES, ids=str)
@pytest.mark.parametrize(
    ("noun", "instants", "days"),
    [
        ("loan", (), ("disbursed_on", "status_on")),
        ("transaction", ("booked_at",), ("effective_on",)),
        ("contact_point", ("verified_at", "invalid_from"), ()),
        ("consent", ("given_at", "revoked_at"), ()),
        ("flag", ("starts_at",), ()),
        ("contact", ("started_at",), ()),
    ],
)
def test_ledger_knows_nothing_of_later_days(source, closing_date, noun, instants, days):
    rows = source(noun, closing_date + timedelta(days=1)).to_pylist()

    assert rows or (noun in ("contact", "flag") and closing_date < AS_OF - timedelta(days=30))
    assert all(row[name] <= closing_date for row in rows for name in days)
    assert all(row[name] < close_of(closing_date) for row in rows for name in instants if row[name])


def test_shifts_are_those_of_the_day_that_is_worked(source):
    for back in (0, 1, 2, 30):
        day = AS_OF - timedelta(days=back)
        rows = source("agent_shift", day).to_pylist()

        assert rows
        assert {row["shift_on"] for row in rows} == {day}


def test_transactions_of_two_closes_differ_by_what_became_known_between_them(source):
    today, yesterday = (by_key(source("transaction", day), "transaction") for day in (AS_OF, AS_OF - timedelta(days=1)))
    new = [row for key, row in today.items() if key not in yesterday]
    closed = AS_OF - timedelta(days=1)

    known = {max(row["effective_on"], (row["booked_at"] + SHANGHAI).date()) for row in new}
    assert known == {closed}
    assert yesterday.items() <= today.items()
    assert any(row["effective_on"] < closed for row in new)


def test_loans_of_two_closes_differ_by_what_moved_them(source):
    closed = AS_OF - timedelta(days=1)
    today, yesterday = (by_key(source("loan", day), "loan") for day in (AS_OF, closed))
    transactions = [by_key(source("transaction", day), "transaction") for day in (AS_OF, closed)]
    booked = {row["loan_id"] for key, row in transactions[0].items() if key not in transactions[1]}

    for row in (*today.values(), *yesterday.values()):
        del row["source_past_due_days"], row["source_past_due_minor"]  # the source counts on while nothing happens
    changed = {key[0] for key, row in today.items() if key in yesterday and yesterday[key] != row}
    ended = {key[0] for key, row in today.items() if key[0] in changed and row["status_on"] == closed}
    opened = {row["disbursed_on"] for key, row in today.items() if key not in yesterday}

    assert changed
    assert changed <= booked | ended | penalised(source, closed)
    assert opened == {closed}
    assert yesterday.keys() <= today.keys()


def penalised(source, closed):
    """Loans whose penalty of the day takes from what had been paid."""
    today, yesterday = (by_key(source("instalment", day), "instalment") for day in (closed + timedelta(days=1), closed))
    return {key[0] for key, row in today.items() if key in yesterday and yesterday[key] != row}


def test_schedule_changes_by_penalties_only(source):
    today, before = (by_key(source("instalment", AS_OF - timedelta(days=back)), "instalment") for back in (0, 40))
    changed = [(row, before[key]) for key, row in today.items() if key in before and before[key] != row]

    assert changed
    assert all(row["penalty_minor"] > was["penalty_minor"] == 0 for row, was in changed)
    assert all({**row, "penalty_minor": 0} == was for row, was in changed)


def test_source_says_whether_it_has_closed(source):
    for back, is_ready in ((0, True), (1, True), (400, True), (-1, False)):
        table = source("ready", AS_OF - timedelta(days=back))

        assert table.to_pylist() == [{"is_ready": is_ready}]


@pytest.mark.parametrize("closing_date", CLOSES, ids=str)
def test_control_totals_are_those_of_the_rows(source, closing_date):
    day = closing_date + timedelta(days=1)
    tables = {noun: source(noun, day) for noun in {table for table, _ in MEASURES}}

    said = {(row["table_name"], row["measure_code"]): row["amount"] for row in source("control", day).to_pylist()}
    found = {
        (noun, measure): tables[noun].num_rows if measure == "rows" else sum(tables[noun][measure].to_pylist())
        for noun, measure in MEASURES
    }
    assert said == found
    assert min(said.values()) > 0


@pytest.mark.usefixtures("source")
def test_an_equal_call_changes_nothing(warehouse_url, tmp_path):
    marker = "SELECT identity, made_at FROM core_banking.demo_ledger"
    with psycopg.connect(warehouse_url.replace("+psycopg", "")) as connection:
        before = connection.execute(marker).fetchall()

    again = fill(warehouse_url, truth=tmp_path / "truth.parquet")

    with psycopg.connect(warehouse_url.replace("+psycopg", "")) as connection:
        assert connection.execute(marker).fetchall() == before
    assert len(before) == 1
    assert again["source"] == "unchanged"
    assert pq.read_metadata(tmp_path / "truth.parquet").num_rows > 2 * LOANS


def test_another_order_replaces_the_ledger_and_a_failing_one_leaves_it(empty_database_url, tmp_path, monkeypatch):
    first = fill(empty_database_url, loans=300, truth=tmp_path / "truth.parquet")
    second = fill(empty_database_url, loans=200, truth=tmp_path / "truth.parquet")
    assert (first["source"], second["source"]) == ("filled", "filled")
    rows = set(pq.read_table(tmp_path / "truth.parquet")["loan_id"].to_pylist())

    with monkeypatch.context() as patch:
        patch.setattr("arrears.sources.demo.load.contact_log", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            fill(empty_database_url, loans=400, truth=tmp_path / "truth.parquet")

    assert len(rows) == 200
    assert set(pq.read_table(tmp_path / "truth.parquet")["loan_id"].to_pylist()) == rows
    with psycopg.connect(empty_database_url.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM core_banking.loan_account").fetchone() == (200,)


def test_files_are_what_the_database_delivers(source, tmp_path):
    write_demo(ORDER, tmp_path)

    for noun in NOUNS:
        in_file = pq.read_table(tmp_path / f"{noun}.parquet")
        in_database = source(noun, AS_OF)
        order = [(name, "ascending") for name in KEYS[noun]]

        assert in_file.num_rows > 0
        assert in_file.sort_by(order).to_pylist() == in_database.select(in_file.schema.names).sort_by(order).to_pylist()


def test_planted_mistakes_are_delivered(source, tmp_path):
    write_demo(ORDER, tmp_path)
    delivered = {noun: {"/".join(map(str, key)) for key in by_key(source(noun, AS_OF), noun)} for noun in NOUNS}

    planted = pq.read_table(tmp_path / "planted.parquet").to_pylist()

    assert planted
    assert all(row["row_id"] in delivered[row["table_name"]] for row in planted)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("sqlite:///demo.db", ConfigurationError),
        ("nonsense", ConfigurationError),
        ("postgresql+psycopg://nobody@127.0.0.1:1/none", WarehouseUnreachableError),
    ],
)
def test_database_that_is_none_is_refused(url, error):
    with pytest.raises(error) as raised:
        fill(url, loans=10)

    assert not isinstance(raised.value.__cause__, adbc_driver_manager.Error)


@pytest.mark.parametrize("lender", LENDERS.values(), ids=LENDERS.keys())
def test_portfolio_and_truth_follow_the_same_terms(monkeypatch, warehouse_url, lender):
    monkeypatch.setenv("ARREARS_DEMO_FIRST_DATE", "2026-03-14")
    monkeypatch.setenv("ARREARS_WAREHOUSE_URL", warehouse_url)

    folder = load_folder(lender.portfolio, Settings())

    portfolio = folder.portfolio
    assert portfolio.ageing.tolerance_minor == lender.tolerance_minor
    assert portfolio.ageing.grace_days == lender.grace_days
    assert portfolio.ageing.convention == "elapsed"
    assert portfolio.ageing.allocation_order == ("penalty", "fee", "interest", "principal")
    assert (portfolio.currency, portfolio.timezone) == (lender.currency, lender.rhythm.zone)
    assert (portfolio.holidays, portfolio.language) == (lender.rhythm.country, lender.reaching.languages[0][0])
    assert portfolio.source.kind == lender.delivers
    assert set(folder.selects) == {contract.table for contract in DELIVERED}
    queues = {queue for queue, *_ in lender.floor.queues}
    assert set(portfolio.queues.values()) <= queues
    assert {name for team, _ in lender.floor.teams for name in team.split(",")} <= queues
