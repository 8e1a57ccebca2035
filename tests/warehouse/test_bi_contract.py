"""What others have built upon: views and columns of ``bi`` as a snapshot; and the same views as Parquet."""

import json
from decimal import Decimal
from pathlib import Path

import duckdb
import psycopg
import pyarrow.parquet as pq
import pytest
from arrears.jobs.publish import publish
from arrears.warehouse.bi import VERSION
from arrears.warehouse.export import export
from pydantic import SecretStr
from support.books import make_book
from support.facts import DAY, NOON, put_day

SNAPSHOT = Path(__file__).with_name("bi_contract.json")
AGAIN = "pytest tests/warehouse/test_bi_contract.py --write-snapshots"


@pytest.fixture(scope="module")
def published(warehouse_url, tmp_path_factory):
    settings = make_book(tmp_path_factory.mktemp("bi")).model_copy(update={"warehouse_url": SecretStr(warehouse_url)})
    put_day(settings, loans=3, amount=100, planned=("a",))
    publish("book", DAY, is_backfill=False, now=NOON, settings=settings)
    return warehouse_url


@pytest.fixture(scope="module")
def sql(published):
    with psycopg.connect(published.replace("+psycopg", "")) as connection:
        yield lambda statement: connection.execute(statement).fetchall()


def interface(sql):
    found = {}
    for view, column, kind in sql("SELECT view_name, column_name, type_name FROM bi.data_dictionary ORDER BY 1, 2"):
        found.setdefault(view, {})[column] = kind
    return found


def broken(before, after):
    """What a reader of the interface as it was would miss now."""
    return [
        f"{view}.{column}: {kind} -> {after.get(view, {}).get(column, 'gone')}"
        for view, columns in before.items()
        for column, kind in columns.items()
        if after.get(view, {}).get(column) != kind
    ]


def test_no_view_or_column_goes_or_changes_its_type_without_another_version(sql, request):
    now = interface(sql)
    if request.config.getoption("--write-snapshots"):
        text = json.dumps({"version": VERSION, "views": now}, indent=1, sort_keys=True)
        SNAPSHOT.write_text(text + "\n", encoding="utf-8")
    known = json.loads(SNAPSHOT.read_text(encoding="utf-8"))

    assert len(known["views"]) > 50
    if known["version"] == VERSION:
        assert broken(known["views"], now) == [], "raise VERSION in arrears/warehouse/bi.py and tell the readers"
    assert known == {"version": VERSION, "views": now}, f"write the snapshot again: {AGAIN}"


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        pytest.param(lambda views: views.pop("par_daily"), 15, id="a view goes"),
        pytest.param(lambda views: views["par_daily"].pop("par_ratio"), 1, id="a column goes"),
        pytest.param(lambda views: views["par_daily"].update(par_ratio="text"), 1, id="a column is retyped"),
        pytest.param(lambda views: views["par_daily"].update(more="text"), 0, id="a column comes"),
    ],
)
def test_what_breaks_a_reader_is_noticed(sql, change, missed):
    before, after = interface(sql), interface(sql)

    change(after)

    found = broken(before, after)
    assert (len(found) >= 10) if missed > 1 else (len(found) == missed)


def test_dictionary_says_the_version(sql):
    assert sql("SELECT DISTINCT interface_version FROM bi.data_dictionary") == [(VERSION,)]


# ------------------------------------------------------------------------------------------------------------- Parquet
def test_every_view_is_written_with_the_rows_and_types_of_sql(published, sql, tmp_path):
    rows = export(published, "book", DAY, tmp_path)

    views = interface(sql)
    assert rows.keys() == views.keys()
    assert rows["loan_daily"] == 3
    for view, columns in views.items():
        (file,) = (tmp_path / view).rglob("part.parquet")
        partition = {part.partition("=")[0] for part in file.relative_to(tmp_path / view).parts[:-1]}
        schema = pq.read_schema(file)
        assert set(schema.names) | partition == set(columns), view
        assert schema.metadata[b"arrears.interface_version"] == str(VERSION).encode()
        of_date = f" WHERE business_date = '{DAY}'" if "business_date" in partition else ""
        given = sql(f"SELECT count(*) FROM bi.{view}{of_date}")
        assert [(pq.read_metadata(file).num_rows,)] == given, view


def test_a_lake_reader_sees_what_sql_gives(published, sql, tmp_path):
    export(published, "book", DAY, tmp_path)
    asked = "SELECT portfolio, CAST(business_date AS text), threshold_days, par_ratio FROM {} ORDER BY threshold_days"

    files = f"read_parquet('{tmp_path}/par_daily/**/*.parquet', hive_partitioning = true)"
    found = duckdb.sql(asked.format(files)).fetchall()

    assert found == sql(asked.format("bi.par_daily"))
    assert found[0][2:] == (30, Decimal("0.0001"))


def test_date_exported_again_replaces_its_files(published, tmp_path):
    first = export(published, "book", DAY, tmp_path)
    files = sorted(tmp_path.rglob("*"))

    assert export(published, "book", DAY, tmp_path) == first
    assert sorted(tmp_path.rglob("*")) == files
