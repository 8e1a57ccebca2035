"""Connections to the warehouse, and its failures as coded errors that show neither URL nor row values.

Every use opens a connection of its own and closes it: tasks are forked processes with a handful of statements each, and
a pool that crosses a fork, or holds a connection the server has dropped, costs more than a reconnect. A process that
runs many jobs keeps its connections (``arrears.kept``).
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from functools import cache, partial
from typing import TYPE_CHECKING

import adbc_driver_manager
from adbc_driver_postgresql import dbapi
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, make_url
from sqlalchemy.exc import DBAPIError

from arrears.errors import ArrearsError, PublishAuditError, PublishLockedError, WarehouseSchemaError
from arrears.errors import WarehouseUnreachableError as Unreachable
from arrears.kept import kept

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECT_SECONDS = 10
SCHEMA_CLASSES = ("42", "3F")  # syntax, missing object, missing right; missing schema
ROW_CLASSES = ("22", "23")  # a value out of range; a constraint
LOCK_TIMEOUT = "55P03"


@contextmanager
def transaction(url: str) -> Iterator[Connection]:
    """One transaction: committed when the body ends, rolled back when it raises.

    Raises:
        WarehouseUnreachableError: The server did not answer, or the connection broke.
        WarehouseSchemaError: A table, column or right is missing.
        PublishLockedError: A lock was not had within the transaction's ``lock_timeout``.
        PublishAuditError: The server refused a row.
    """
    with coded(), kept(("warehouse", url), _engine(url).connect) as connection, connection.begin():
        yield connection


@contextmanager
def session(url: str) -> Iterator[Connection]:
    """A connection on which every statement stands for itself, for locks that outlive transactions; never kept.

    Raises:
        WarehouseUnreachableError: As ``transaction``, and so the others.
    """
    with coded(), _engine(url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection


@contextmanager
def own_session(url: str) -> Iterator[Connection]:
    """A connection whose transactions the body begins one by one, and whose session locks hold between them.

    Raises:
        WarehouseUnreachableError: As ``transaction``, and so the others.
    """
    with coded(), _engine(url).connect() as connection:
        yield connection


@contextmanager
def bulk_connection(url: str) -> Iterator[dbapi.Connection]:
    """An ADBC connection for Arrow batches; the caller commits, what it did not commit is rolled back.

    Raises:
        WarehouseUnreachableError: As ``transaction``, and so the others.
    """
    with coded(), driver_connection(url) as connection:
        yield connection


@contextmanager
def driver_connection(url: str | URL) -> Iterator[dbapi.Connection]:
    """The ADBC connection itself, for sources too, which speak of their failures in their own words.

    Args:
        url: Of a PostgreSQL server.
    """
    plain = make_url(url).set(drivername="postgresql")
    if "connect_timeout" not in plain.query:
        plain = plain.update_query_dict({"connect_timeout": str(CONNECT_SECONDS)})
    text = plain.render_as_string(hide_password=False)
    with kept(("adbc", text), partial(dbapi.connect, text)) as connection:
        try:
            yield connection
        finally:
            with suppress(adbc_driver_manager.Error):  # of a broken connection, which has failed already
                connection.rollback()


@contextmanager
def coded() -> Iterator[None]:
    """Turn a driver's exception into ours; its text is dropped unless it can only speak of tables."""
    try:
        yield
    except DBAPIError as error:
        diagnosis = getattr(error.orig, "diag", None)
        raise _error_of(
            getattr(error.orig, "sqlstate", None),
            getattr(diagnosis, "message_primary", None),
            getattr(diagnosis, "constraint_name", None),
        ) from None
    except adbc_driver_manager.Error as error:
        raise _error_of(error.sqlstate) from None


def _error_of(sqlstate: str | None, message: str | None = None, constraint: str | None = None) -> ArrearsError:
    state = sqlstate or "no answer"
    if state == LOCK_TIMEOUT:
        return PublishLockedError("a lock was not free in time", "no other publication of the portfolio", "warehouse")
    if state.startswith(SCHEMA_CLASSES):
        return WarehouseSchemaError(
            message or f"SQLSTATE {state}", "the tables and rights of this version", "warehouse"
        )
    if state.startswith(ROW_CLASSES):
        return PublishAuditError(
            f"a row was refused (SQLSTATE {state})", "rows as contracted", constraint or "warehouse"
        )
    return Unreachable(f"the warehouse failed ({state})", "a reachable server that accepts our login", "warehouse")


@cache
def _engine(url: str) -> Engine:
    return create_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "arrears"},
    )
