"""Failures of the warehouse become our errors, without URL, password or row values."""

import pytest
from adbc_driver_postgresql import dbapi
from arrears.errors import (
    ArrearsError,
    PublishAuditError,
    PublishLockedError,
    WarehouseSchemaError,
    WarehouseUnreachableError,
)
from arrears.warehouse.connection import bulk_connection, session, transaction
from sqlalchemy import make_url, text

SECRET = "unspeakable"  # noqa: S105  must not come back


def refused_urls(url):
    good = make_url(url)
    return {
        "no server": "postgresql+psycopg://arrears:unspeakable@127.0.0.1:1/arrears",
        "a wrong password": good.set(password=SECRET).render_as_string(hide_password=False),
        "an unknown database": good.set(database="unspeakable").render_as_string(hide_password=False),
    }


@pytest.mark.parametrize("way", [transaction, session, bulk_connection], ids=lambda way: way.__name__)
@pytest.mark.parametrize("case", ["no server", "a wrong password", "an unknown database"])
def test_unreachable_is_named_and_leaks_nothing(warehouse_url, way, case):
    url = refused_urls(warehouse_url)[case]

    with pytest.raises(WarehouseUnreachableError) as caught, way(url):
        pass

    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        pytest.param("SELECT * FROM mart.nothing", WarehouseSchemaError, id="a missing table"),
        pytest.param("SELECT nothing FROM mart.fct_par_daily", WarehouseSchemaError, id="a missing column"),
        pytest.param("SELECT * FROM nowhere.nothing", WarehouseSchemaError, id="a missing schema"),
        pytest.param("INSERT INTO ops.run_ledger (portfolio) VALUES ('unspeakable')", PublishAuditError, id="a NULL"),
        pytest.param("SELECT 'unspeakable'::integer", PublishAuditError, id="a value of another type"),
        pytest.param(
            "SET LOCAL statement_timeout = 10; SELECT pg_sleep(5)", WarehouseUnreachableError, id="a time-out"
        ),
        pytest.param(
            "SELECT pg_terminate_backend(pg_backend_pid())", WarehouseUnreachableError, id="a connection that breaks"
        ),
    ],
)
def test_failed_statement_is(warehouse_url, statement, error):
    with pytest.raises(ArrearsError) as caught, transaction(warehouse_url) as connection:
        connection.execute(text(statement))

    assert type(caught.value) is error
    assert SECRET not in str(caught.value)


def test_lock_not_had_in_time_is_told_to_come_again(warehouse_url):
    with transaction(warehouse_url) as holder:
        holder.execute(text("LOCK TABLE ops.run_ledger"))

        with pytest.raises(PublishLockedError), transaction(warehouse_url) as connection:
            connection.execute(text("SET LOCAL lock_timeout = 50; SELECT * FROM ops.run_ledger"))


def test_bulk_failure_is_coded(warehouse_url):
    with (
        pytest.raises(WarehouseSchemaError),
        bulk_connection(warehouse_url) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT * FROM mart.nothing")


def test_transaction_that_raises_leaves_nothing(warehouse_url):
    def fail():
        with transaction(warehouse_url) as connection:
            connection.execute(text("CREATE TABLE public.left_over (a int)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    with transaction(warehouse_url) as connection:
        assert connection.execute(text("SELECT to_regclass('public.left_over')")).scalar() is None


def test_copy_would_reinterpret_another_type_without_a_word(warehouse_url):
    """Why every staging compares columns first: PostgreSQL reads the eight bytes of a double as a bigint."""
    import pyarrow as pa  # noqa: PLC0415  for this proof alone

    plain = make_url(warehouse_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with dbapi.connect(plain) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE public.money (amount_minor bigint)")
        cursor.adbc_ingest("money", pa.table({"amount_minor": [175000.0]}), mode="append")
        cursor.execute("SELECT amount_minor FROM public.money")

        assert cursor.fetchone() == (4685252967052345344,)
