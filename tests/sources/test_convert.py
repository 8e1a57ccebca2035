"""Delivered values are read strictly: exactly of their form, or no value at all and named."""

import json
from datetime import UTC, date, datetime

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from arrears.contracts.model import Contract, at, days, flag, minor, on, text
from arrears.errors import SourceColumnsError, SourceTypeError
from arrears.sources.convert import extract_select, unreadable_rows
from arrears.sources.staging import Staged, bound, check_delivery, may_carry, stage

THING = Contract(
    table="raw__thing",
    grain="one row per thing",
    key=("thing_id",),
    columns=(
        text("thing_id", ""),
        minor("amount_minor", "", nullable=True),
        days("age_days", "", nullable=True),
        on("seen_on", "", nullable=True),
        at("seen_at", "", nullable=True),
        flag("is_seen", "", nullable=True),
        text("source_file", "", nullable=True),
        minor("source_line", "", nullable=True),
    ),
    meaning="Things",
    owner="tests",
)
ALL = {column.type.value for column in THING.columns}
COLUMNS = ["amount_minor", "age_days", "seen_on", "seen_at", "is_seen"]


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def staged(tmp_path, table, malformed=None):
    path = tmp_path / "rows.parquet"
    schema = stage(table.to_reader(), path, "extract__loan")
    if malformed:
        pq.write_table(pa.Table.from_pylist(malformed), tmp_path / "malformed.parquet")
    return Staged(path, schema, tmp_path / "malformed.parquet" if malformed else None, "")


def read(connection, staged):
    """Rows of the extract by row number, instants as UTC texts."""
    select = f"SELECT * FROM ({extract_select(THING, staged)}) ORDER BY row_number"
    return connection.sql(select).to_arrow_table().to_pylist()


def one_text(connection, tmp_path, column, value):
    """What a text in a column is read as, and the columns that could not be read."""
    (row,) = read(connection, staged(tmp_path, pa.table({"thing_id": ["a"], column: [value]})))
    return row[column], row["conversion_errors"]


@pytest.mark.parametrize(
    ("column", "delivered", "value"),
    [
        ("amount_minor", "12345", 12345),
        ("amount_minor", "-1", -1),
        ("amount_minor", "000", 0),
        ("amount_minor", "999999999999999999", 999999999999999999),
        ("age_days", "2147483647", 2147483647),
        ("seen_on", "2028-02-29", date(2028, 2, 29)),
        ("seen_at", "2026-01-31T10:00:00+08:00", datetime(2026, 1, 31, 2, tzinfo=UTC)),
        ("seen_at", "2026-01-31 10:00:00.25+0800", datetime(2026, 1, 31, 2, 0, 0, 250000, tzinfo=UTC)),
        ("seen_at", "2026-01-31T10:00Z", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("is_seen", "true", True),
        ("is_seen", "false", False),
        *((column, "", None) for column in COLUMNS),
    ],
)
def test_text_of_its_form_is_read(connection, tmp_path, column, delivered, value):
    assert one_text(connection, tmp_path, column, delivered) == (value, None)


@pytest.mark.parametrize(
    ("column", "delivered"),
    [
        *(
            (column, value)
            for column in ("amount_minor", "age_days")
            for value in (
                "NaN",
                "1e5",
                "1,000",
                "12.00",
                "12.0",
                "+1",
                " 1",
                "1 ",
                "0x10",
                "1_000",
                "--1",
                "١٢",
                "1\n",
                "inf",
            )
        ),
        ("amount_minor", "1000000000000000000"),
        ("age_days", "2147483648"),
        *(
            ("seen_on", value)
            for value in ("2026-02-31", "2026-13-01", "2026-1-1", "01/02/2026", "20260101", "0000-01-01", "2026-01-01 ")
        ),
        *(("seen_on", value) for value in ("infinity", "today", "2026-01-01T00:00:00Z", "12026-01-01")),
        *(
            ("seen_at", value)
            for value in ("2026-01-31T10:00:00", "2026-01-31", "2026-02-31T10:00:00Z", "2026-01-31T25:00:00Z", "now")
        ),
        *(("seen_at", value) for value in ("2026-01-31T10:00:00 Asia/Shanghai", "1767225600")),
        *(("is_seen", value) for value in ("True", "yes", "1", "0", "t", "FALSE")),
    ],
)
def test_text_of_any_other_form_is_no_value_and_named(connection, tmp_path, column, delivered):
    assert one_text(connection, tmp_path, column, delivered) == (None, column)


@pytest.mark.parametrize(
    ("thing", "is_read"),
    [
        pytest.param("a" * 128, True, id="as long as an identifier may be"),
        pytest.param("a" * 129, False, id="longer than any index holds"),
        *(
            pytest.param(f"a{sign}", False, id=f"U+{ord(sign):04X}")
            for sign in "\u00a0\u3000\u200b\u202e\ufeff\u2028\u0085"
        ),
    ],
)
def test_identifier_is_short_and_of_signs_that_are_seen(connection, tmp_path, thing, is_read):
    (row,) = read(connection, staged(tmp_path, pa.table({"thing_id": [thing]})))

    assert (row["thing_id"], row["conversion_errors"]) == ((thing, None) if is_read else (None, "thing_id"))


def test_column_that_nobody_declared_is_named_by_position_when_its_name_may_be_a_value():
    schema = pa.schema([("thing_id", pa.string()), ("138\n0013", pa.string()), ("colour", pa.string())])

    with pytest.raises(SourceColumnsError) as refused:
        check_delivery(THING, schema, "thing.sql")

    assert refused.value.found == "column 2 is not in the contract; column colour is not in the contract"


def test_text_with_nul_is_named_and_empty_text_is_null(connection, tmp_path):
    table = pa.table({"thing_id": ["a\0b", "", "张三"]})

    rows = read(connection, staged(tmp_path, table))

    assert [(row["thing_id"], row["conversion_errors"]) for row in rows] == [
        (None, None),
        (None, "thing_id"),
        ("张三", None),
    ]


def test_typed_values_keep_their_value_and_what_does_not_fit_is_named(connection, tmp_path):
    table = pa.table(
        {
            "thing_id": ["a", "b"],
            "amount_minor": pa.array([7, 2**63], pa.uint64()),
            "age_days": pa.array([7, 2**40], pa.int64()),
            "seen_on": pa.array([date(2026, 1, 1), None], pa.date32()),
            "seen_at": pa.array([1_767_225_600, None], pa.timestamp("s", tz="Asia/Shanghai")),
            "is_seen": [True, False],
        }
    )

    first, second = read(connection, staged(tmp_path, table))

    assert (first["amount_minor"], first["age_days"], first["seen_on"]) == (7, 7, date(2026, 1, 1))
    assert (first["seen_at"], first["is_seen"]) == (datetime(2026, 1, 1, tzinfo=UTC), True)
    assert first["conversion_errors"] is None
    assert (second["amount_minor"], second["age_days"]) == (None, None)
    assert second["conversion_errors"] == "amount_minor,age_days"


def test_columns_not_delivered_are_null_and_the_lineage_is_the_select(connection, tmp_path):
    (row,) = read(connection, staged(tmp_path, pa.table({"thing_id": ["a"]})))

    assert row == {
        "thing_id": "a",
        **dict.fromkeys(COLUMNS),
        "source_file": "thing.sql",
        "source_line": 1,
        "row_number": 1,
        "conversion_errors": None,
    }


def test_rows_are_numbered_by_key_whatever_order_they_come_in(connection, tmp_path):
    ids = [f"id-{number:07}" for number in range(250_000)]

    forward = read(connection, staged(tmp_path, pa.table({"thing_id": ids})))
    backward = read(connection, staged(tmp_path, pa.table({"thing_id": ids[::-1]})))

    assert [row["thing_id"] for row in forward] == ids
    assert [row["row_number"] for row in forward] == list(range(1, 250_001))
    assert backward == forward


def test_rows_of_files_are_numbered_by_file_and_line_with_malformed_lines_between(connection, tmp_path):
    table = pa.table(
        {"thing_id": ["z", "a"], "source_file": ["f.csv", "f.csv"], "source_line": pa.array([2, 4], pa.int64())}
    )
    malformed = [{"source_file": "f.csv", "source_line": 3, "line": "too,many,secrets"}]
    delivery = staged(tmp_path, table, malformed)

    rows = read(connection, delivery)
    kept = list(unreadable_rows(connection, THING, delivery))

    assert [(row["row_number"], row["thing_id"], row["source_line"], row["conversion_errors"]) for row in rows] == [
        (1, "z", 2, None),
        (2, None, 3, "file.columns"),
        (3, "a", 4, None),
    ]
    assert [(row.row_number, row.rule_id, row.source_line, row.delivered) for row in kept] == [
        (2, "file.columns", 3, {"line": "too,many,secrets"})
    ]


def test_unreadable_rows_come_with_what_was_delivered(connection, tmp_path):
    table = pa.table({"thing_id": ["a", "b"], "amount_minor": ["1", "NaN"], "seen_on": ["2026-01-01", "2026-02-31"]})

    kept = list(unreadable_rows(connection, THING, staged(tmp_path, table)))

    assert [(row.row_number, row.rule_id, row.source_file, row.source_line) for row in kept] == [
        (2, "type", "thing.sql", 2)
    ]
    assert json.loads(json.dumps(kept[0].shown)) == {"thing_id": "b", "amount_minor": "NaN", "seen_on": "2026-02-31"}


@pytest.mark.parametrize(
    ("kind", "carried_by"),
    [
        (pa.string(), ALL),
        (pa.dictionary(pa.int8(), pa.string()), ALL),
        (pa.null(), ALL),
        (pa.int16(), {"BIGINT", "INTEGER"}),
        (pa.uint64(), {"BIGINT", "INTEGER"}),
        (pa.date32(), {"DATE"}),
        (pa.timestamp("us", tz="UTC"), {"TIMESTAMP WITH TIME ZONE"}),
        (pa.bool_(), {"BOOLEAN"}),
        *(
            (kind, set())
            for kind in (
                pa.float64(),
                pa.float32(),
                pa.decimal128(38, 0),
                pa.decimal128(18, 2),
                pa.timestamp("us"),
                pa.date64(),
                pa.binary(),
                pa.list_(pa.int64()),
            )
        ),
    ],
    ids=lambda value: "" if isinstance(value, set) else str(value),
)
def test_a_type_carries_only_what_it_holds_without_loss(kind, carried_by):
    carried = {column.type.value for column in THING.columns if may_carry(kind, column.type)}

    assert carried == carried_by


def test_refused_types_are_named_with_column_found_and_expected():
    schema = pa.schema([("thing_id", pa.int64()), ("amount_minor", pa.decimal128(38, 0)), ("age_days", pa.float64())])

    with pytest.raises(SourceTypeError) as refused:
        check_delivery(THING, schema, "book/thing.sql")

    assert refused.value.found == "thing_id is int64; amount_minor is decimal128(38, 0); age_days is double"
    assert "CAST" in refused.value.expected
    assert refused.value.where == "book/thing.sql"


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        pytest.param(["amount_minor"], "thing_id is missing", id="a column that may not be absent"),
        pytest.param(["thing_id", "remark"], "remark is not in the contract", id="a column too many"),
        pytest.param(["thing_id", "thing_id"], "thing_id is there twice", id="a column twice"),
    ],
)
def test_delivery_has_exactly_the_contracts_columns(names, complaint):
    with pytest.raises(SourceColumnsError, match=complaint):
        check_delivery(THING, pa.schema([(name, pa.string()) for name in names]), "book/thing.sql")


def test_dates_are_bound_where_they_stand_alone():
    select = "SELECT ':closing_date', a::DATE /* :closing_date */ FROM t WHERE c < :closing_date; -- :business_date"

    assert bound(select, lambda name: f"<{name}>") == (
        "SELECT ':closing_date', a::DATE /* :closing_date */ FROM t WHERE c < <closing_date>; -- :business_date\n"
    )
