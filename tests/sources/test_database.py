"""Rows of a source database: streamed, typed, dated, and every failure coded without a value or a password."""

import sqlite3
from datetime import date

import psycopg
import pyarrow as pa
import pytest
from arrears.contracts import CONTRACTS
from arrears.errors import ConfigurationError, SourceQueryError, SourceTypeError, SourceUnreachableError
from arrears.sources.database import rows_of_database
from arrears.sources.staging import check_delivery
from sqlalchemy import make_url

DATES = {"business_date": date(2026, 3, 2), "closing_date": date(2026, 3, 1)}
TRANSACTION = CONTRACTS["raw__transaction"]
SECRET = "六千三百"  # noqa: S105  a value that no message may show


@pytest.fixture(scope="module")
def sqlite_url(tmp_path_factory):
    path = tmp_path_factory.mktemp("sqlite") / "source.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE loan (id INTEGER, name TEXT, amount REAL, seen_on TEXT)")
        connection.executemany(
            "INSERT INTO loan VALUES (?, ?, ?, ?)", [(n, f"n{n}", n / 2, "2026-03-01") for n in range(120_000)]
        )
    return f"sqlite:///{path}"


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def url(request):
    return request.getfixturevalue("warehouse_url" if request.param == "postgresql" else "sqlite_url")


def read(url, select, contract=None):
    """All rows of a SELECT."""
    with rows_of_database(url, select, DATES, contract, "book/loan.sql") as delivered:
        return delivered.reader.read_all()


def test_select_is_given_both_dates(url):
    table = read(url, "SELECT :closing_date AS closing, :business_date AS business, ':closing_date' AS text -- :x\n;")

    assert [str(value) for value in table.select(["closing", "business"]).to_pylist()[0].values()] == [
        "2026-03-01",
        "2026-03-02",
    ]


def test_rows_come_as_a_stream_of_batches(sqlite_url, warehouse_url):
    many = [
        (sqlite_url, "SELECT id, name FROM loan", 120_000),
        (warehouse_url, "SELECT x AS id FROM generate_series(1, 2000000) x", 2_000_000),
    ]

    for url, select, rows in many:
        with rows_of_database(url, select, DATES, None, "book/loan.sql") as delivered:
            sizes = [batch.num_rows for batch in delivered.reader]

        assert len(sizes) > 1
        assert sum(sizes) == rows


def test_postgresql_types_arrive_as_they_are(warehouse_url):
    schema = read(
        warehouse_url,
        "SELECT 1::smallint AS small, 1::bigint AS big, 'a'::varchar(3) AS word, NULL AS nothing, "
        "current_date AS day, now() AS instant, TRUE AS truth",
    ).schema

    assert schema.types == [
        pa.int16(),
        pa.int64(),
        pa.string(),
        pa.string(),
        pa.date32(),
        pa.timestamp("us", tz="UTC"),
        pa.bool_(),
    ]


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        pytest.param("sum(amount_minor)", "amount_minor is numeric", id="an uncast SUM"),
        pytest.param("max(amount_minor)::numeric(18, 2)", "amount_minor is numeric", id="a decimal"),
        pytest.param("max(amount_minor)::float8", "amount_minor is float8", id="a float"),
    ],
)
def test_postgresql_money_that_is_no_integer_is_refused(warehouse_url, expression, found):
    select = (
        f"SELECT 'T' AS transaction_id, 'L' AS loan_id, 'repayment' AS kind_code, DATE '2026-01-01' AS effective_on, "
        f"now() AS booked_at, {expression} AS amount_minor FROM (VALUES (1::bigint)) AS t (amount_minor)"
    )

    with pytest.raises(SourceTypeError) as refused:
        check_delivery(TRANSACTION, read(warehouse_url, select).schema, "book/transaction.sql")

    assert refused.value.found == found


def test_other_dialects_deliver_text_that_says_the_same(sqlite_url):
    table = read(sqlite_url, "SELECT id AS amount_minor, name AS transaction_id FROM loan WHERE id < 2", TRANSACTION)

    assert table.schema.types == [pa.string(), pa.string()]
    assert table.to_pylist() == [
        {"amount_minor": "0", "transaction_id": "n0"},
        {"amount_minor": "1", "transaction_id": "n1"},
    ]


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        pytest.param("amount AS amount_minor", "amount_minor is float", id="money as a float"),
        pytest.param(
            "CASE id WHEN 110000 THEN 0.5 ELSE id END AS amount_minor", "amount_minor is float", id="late float"
        ),
        pytest.param("id AS transaction_id", "transaction_id is int", id="an integer where text is wanted"),
        pytest.param("x'00' AS transaction_id", "transaction_id is bytes", id="bytes"),
    ],
)
def test_other_dialects_types_are_refused_row_by_row(sqlite_url, expression, found):
    with pytest.raises(SourceTypeError) as refused:
        read(sqlite_url, f"SELECT {expression} FROM loan", TRANSACTION)

    assert refused.value.found == found


def test_select_over_what_is_not_there_names_it(url):
    with pytest.raises(SourceQueryError, match="nowhere"):
        read(url, "SELECT * FROM nowhere")


def test_text_that_sqlite_cannot_decode_is_in_no_message(sqlite_url):
    with pytest.raises(SourceQueryError, match="OperationalError") as refused:
        read(sqlite_url, f"SELECT CAST(x'ff' || '{SECRET}' AS TEXT) AS loan_id")

    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "select",
    [
        pytest.param(f"SELECT '{SECRET}'::int AS a", id="before the first row"),
        pytest.param(
            f"SELECT CASE x WHEN 1500000 THEN '{SECRET}' ELSE '1' END::int AS a FROM generate_series(1, 2000000) x",
            id="after a million rows",
        ),
    ],
)
def test_value_that_breaks_a_select_is_in_no_message(warehouse_url, select):
    with pytest.raises(SourceQueryError) as refused:
        read(warehouse_url, select)

    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_server_that_goes_away_while_it_sends_is_unreachable_and_retried(warehouse_url):
    with pytest.raises(SourceUnreachableError) as away:
        read(warehouse_url, "SELECT pg_terminate_backend(pg_backend_pid())")

    assert away.value.retryable


def test_server_that_is_away_is_told_without_the_password(warehouse_url):
    address = make_url(warehouse_url).set(port=1, password="hunter2-hunter2")  # noqa: S106  not a secret

    with pytest.raises(SourceUnreachableError) as away:
        read(address.render_as_string(hide_password=False), "SELECT 1")

    assert away.value.retryable
    assert "hunter2" not in str(away.value)


def test_wrong_password_is_told_without_it(warehouse_url):
    address = make_url(warehouse_url).set(password="hunter2-hunter2")  # noqa: S106  not a secret

    with pytest.raises(SourceUnreachableError) as refused:
        read(address.render_as_string(hide_password=False), "SELECT 1")

    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("address", ["no url at all", "nosuchdialect://host/database"])
def test_url_that_names_no_database_is_a_configuration_error(address):
    with pytest.raises(ConfigurationError):
        read(address, "SELECT 1")


def test_select_may_write_nothing(warehouse_url):
    with psycopg.connect(warehouse_url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE precious (a int)")
        connection.execute("INSERT INTO precious VALUES (1)")

    with pytest.raises(SourceQueryError):
        read(warehouse_url, "DELETE FROM precious RETURNING a")

    with psycopg.connect(warehouse_url.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM precious").fetchall() == [(1,)]
