"""What must not matter to an age does not: row order, how files are cut, when it all happened, the currency's name."""

from datetime import date, timedelta

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from arrears.contracts import CONTRACTS
from arrears.engine.tables import DuckTables
from arrears.jobs.accounts import INSTALMENTS, LOANS, make_ages
from arrears.jobs.age import LEDGER, ageing_parameters, put_buckets
from arrears.portfolio_terms import Ageing
from proof.compare import ledger_of
from proof.random_book import FIRST, random_debts
from support.ageing import BUCKETS
from support.books import ARROW

AS_OF = FIRST + timedelta(days=70)
SHIFT = timedelta(days=364)  # whole weeks, and across 29 February
AGEING = Ageing(grace_days=2, tolerance_minor=50)


@pytest.fixture(scope="module")
def ledger():
    return ledger_of(random_debts(400, 23, 120))


def aged(folder, ledger, *, as_of=AS_OF, parts=1):
    """Both tables of ages, each row once, from Parquet files."""
    with duckdb.connect(config={"threads": 1}) as connection:
        for table in LEDGER:
            rows, paths = ledger[table], []
            for part in range(parts):
                columns = {
                    c.name: pa.array([row.get(c.name) for row in rows[part::parts]], type=ARROW[c.type.value])
                    for c in CONTRACTS[table].columns
                }
                paths.append(str(folder / f"{table}-{part}.parquet"))
                pq.write_table(pa.table(columns), paths[-1])
            connection.read_parquet(paths).create_view(table)
        tables = DuckTables(connection)
        put_buckets(tables, BUCKETS)
        known = ageing_parameters(AGEING, BUCKETS, as_of) | {"closing_date": as_of, "timezone": "UTC"}
        make_ages(tables, AGEING.waterfalls, known)
        return {table: sorted(tables.rows(table).to_pylist(), key=repr) for table in (INSTALMENTS, LOANS)}


def moved(rows):
    """Rows whose dates and instants all lie a while later."""
    is_time = date  # an instant is one too
    return [
        {name: value + SHIFT if isinstance(value, is_time) else value for name, value in row.items()} for row in rows
    ]


def test_row_order_does_not_matter(tmp_path, ledger):
    turned = {table: rows[::-1] for table, rows in ledger.items()}

    found = aged(tmp_path, ledger)

    assert sum(row["past_due_days"] > 0 for row in found[LOANS]) > 50
    assert aged(tmp_path, turned) == found


def test_how_files_are_cut_does_not_matter(tmp_path, ledger):
    assert aged(tmp_path, ledger, parts=3) == aged(tmp_path, ledger)


def test_all_dates_364_days_later_are_the_same_days(tmp_path, ledger):
    later = {table: moved(rows) for table, rows in ledger.items()}

    found = aged(tmp_path, later, as_of=AS_OF + SHIFT)

    expected = {table: moved(rows) for table, rows in aged(tmp_path, ledger).items()}
    months = ("past_due_months_ots", "past_due_months_mba")  # a year of whole weeks is no year of months
    for rows in (*found.values(), *expected.values()):
        for row in rows:
            for name in months:
                row.pop(name, None)
    assert {table: sorted(rows, key=repr) for table, rows in found.items()} == {
        table: sorted(rows, key=repr) for table, rows in expected.items()
    }


def test_another_name_of_the_currency_changes_nothing_else(tmp_path, ledger):
    renamed = ledger | {"raw__loan": [row | {"currency": "XTS"} for row in ledger["raw__loan"]]}

    found = aged(tmp_path, renamed)

    expected = aged(tmp_path, ledger)
    assert len({row["currency"] for row in expected[LOANS]}) > 1
    assert {row.pop("currency") for row in found[LOANS]} == {"XTS"}
    for row in expected[LOANS]:
        row.pop("currency")
    assert {t: sorted(rows, key=repr) for t, rows in found.items()} == {
        t: sorted(rows, key=repr) for t, rows in expected.items()
    }
