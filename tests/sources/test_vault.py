"""What was delivered in rejected rows is kept where only the vault's readers see it, and replaced by each run."""

import json
from datetime import date

import pytest
from arrears.errors import WarehouseSchemaError, WarehouseUnreachableError
from arrears.settings import Settings
from arrears.sources.vault import RejectedRow, keep_rejected, rejected_rows
from arrears.warehouse.connection import transaction
from pydantic import SecretStr
from sqlalchemy import text
from support.books import make_book

DAY = date(2026, 3, 2)
ROWS = [
    RejectedRow(3, "loan.csv", 4, "type", {"loan_id": "L3", "principal_minor": "NaN"}),
    RejectedRow(7, None, None, "unique", {"loan_id": "坏\0行", "principal_minor": None}),
    RejectedRow(7, None, None, "required", {"loan_id": 'a "quoted" \\u0000 text'}),
]


def in_warehouse(url):
    settings = Settings(warehouse_url=SecretStr(url))
    with transaction(url) as connection:
        tables = connection.execute(
            text("SELECT DISTINCT portfolio, business_date, table_name FROM vault.rejected_row ORDER BY table_name")
        ).fetchall()
    return [
        (*key, row.row_number, row.source_file, row.source_line, row.rule_id, row.delivered)
        for key in map(tuple, tables)
        for row in sorted(rejected_rows(settings, *key), key=lambda one: (one.row_number, one.rule_id == "required"))
    ]


@pytest.fixture
def settings(tmp_path):
    return make_book(tmp_path)


@pytest.fixture
def with_warehouse(settings, warehouse_url):
    yield settings.model_copy(update={"warehouse_url": SecretStr(warehouse_url)})
    with transaction(warehouse_url) as connection:
        connection.execute(text("TRUNCATE vault.rejected_row"))


def test_rows_are_kept_in_the_warehouse(with_warehouse):
    assert keep_rejected(with_warehouse, "book", DAY, "extract__loan", iter(ROWS)) == 3

    kept = in_warehouse(with_warehouse.warehouse)

    assert [tuple(row) for row in kept] == [
        ("book", DAY, "extract__loan", 3, "loan.csv", 4, "type", {"loan_id": "L3", "principal_minor": "NaN"}),
        ("book", DAY, "extract__loan", 7, None, None, "unique", {"loan_id": "坏\ufffd行", "principal_minor": None}),
        ("book", DAY, "extract__loan", 7, None, None, "required", {"loan_id": 'a "quoted" \\u0000 text'}),
    ]


def test_keeping_again_replaces_the_table_and_day_and_nothing_else(with_warehouse):
    keep_rejected(with_warehouse, "book", DAY, "extract__loan", ROWS)
    keep_rejected(with_warehouse, "book", DAY, "raw__loan", ROWS[:1])

    keep_rejected(with_warehouse, "book", DAY, "extract__loan", ROWS[:1])

    kept = in_warehouse(with_warehouse.warehouse)
    assert [row[2:4] for row in kept] == [("extract__loan", 3), ("raw__loan", 3)]


def test_more_rows_than_one_statement_takes_are_all_kept(with_warehouse):
    rows = (RejectedRow(number, None, None, "type", {"a": "b"}) for number in range(12_345))

    assert keep_rejected(with_warehouse, "book", DAY, "extract__loan", rows) == 12_345
    assert len(in_warehouse(with_warehouse.warehouse)) == 12_345


def test_failure_half_way_keeps_what_was_there(with_warehouse):
    keep_rejected(with_warehouse, "book", DAY, "extract__loan", ROWS)

    def breaks():
        yield ROWS[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        keep_rejected(with_warehouse, "book", DAY, "extract__loan", breaks())

    assert len(in_warehouse(with_warehouse.warehouse)) == 3


def test_warehouse_that_is_away_or_not_migrated_is_told(settings, empty_database_url):
    away = settings.model_copy(update={"warehouse_url": SecretStr("postgresql+psycopg://u:p@127.0.0.1:1/none")})
    bare = settings.model_copy(update={"warehouse_url": SecretStr(empty_database_url)})

    with pytest.raises(WarehouseUnreachableError):
        keep_rejected(away, "book", DAY, "extract__loan", ROWS)
    with pytest.raises(WarehouseSchemaError):
        keep_rejected(bare, "book", DAY, "extract__loan", ROWS)


def test_without_a_warehouse_rows_lie_in_a_file_only_we_can_read(settings, tmp_path):
    keep_rejected(settings, "book", DAY, "extract__loan", ROWS)

    path = tmp_path / "vault" / "book" / "2026-03-02" / "extract__loan.jsonl"
    kept = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(row["row_number"], row["rule_id"]) for row in kept] == [(3, "type"), (7, "unique"), (7, "required")]
    assert kept[0]["delivered"] == {"loan_id": "L3", "principal_minor": "NaN"}
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "vault").stat().st_mode & 0o777 == 0o700


def test_without_a_warehouse_keeping_again_replaces_the_file(settings, tmp_path):
    path = tmp_path / "vault" / "book" / "2026-03-02" / "extract__loan.jsonl"
    keep_rejected(settings, "book", DAY, "extract__loan", ROWS)

    keep_rejected(settings, "book", DAY, "extract__loan", ROWS[:1])
    assert len(path.read_text(encoding="utf-8").splitlines()) == 1

    keep_rejected(settings, "book", DAY, "extract__loan", [])
    assert not path.exists()
    assert list(path.parent.iterdir()) == []
