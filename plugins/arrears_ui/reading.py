"""Figures for the pages: one SELECT a file in ``sql/``, read as the BI role within a bounded time.

Belongs here: how a page asks. As ``arrears_bi`` a page sees ``bi`` and nothing else, whatever its SELECT says.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arrears.settings import load_settings
from arrears.warehouse.connection import CONNECT_SECONDS, coded
from arrears.warehouse.roles import BI_ROLE
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import OperationalError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

SQL = Path(__file__).parent / "sql"
PARAMETER = re.compile(r"\$(\w+)")
SECONDS = 5
QUERY_CANCELLED = "57014"
CONNECTIONS = 4

Rows = list[dict[str, Any]]
KEPT: dict[tuple[object, ...], Rows] = {}
MOST_KEPT = 500


class TooSlowError(Exception):
    """The warehouse took longer than a page waits."""


class Reader:
    """One consistent look at the warehouse.

    Args:
        connection: In a read-only transaction as the BI role.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._newest: dict[str, int | None] = {}

    def rows(self, name: str, **values: Any) -> Rows:  # noqa: ANN401  bound values
        """What ``sql/<name>.sql`` selects."""
        return [dict(row._mapping) for row in self._connection.execute(select(name), values)]  # noqa: SLF001  its public name

    def of_publication(self, name: str, portfolio: str, day: date) -> Rows:
        """The same of a published day: asked once by this process after each publication, which alone moves figures."""
        if portfolio not in self._newest:
            self._newest[portfolio] = self.rows("last_publication", portfolio=portfolio)[0]["newest"]
        key = (self._connection.engine.url.render_as_string(), name, portfolio, day, self._newest[portfolio])
        if key not in KEPT:
            if len(KEPT) >= MOST_KEPT:
                KEPT.clear()
            KEPT[key] = self.rows(name, portfolio=portfolio, business_date=day)
        return KEPT[key]


@contextmanager
def reader() -> Iterator[Reader]:
    """A look at one state of the warehouse.

    Raises:
        TooSlowError: A SELECT took longer than a page waits.
        ArrearsError: The warehouse did not answer, or lacks what this version needs.
    """
    engine = _engine(load_settings().warehouse)
    with coded_but_slow(), engine.connect() as connection, connection.begin():
        connection.execute(text(f"SET LOCAL ROLE {BI_ROLE}"))
        yield Reader(connection)


@contextmanager
def coded_but_slow() -> Iterator[None]:
    """``coded``, with the server's time limit told apart."""
    with coded():
        try:
            yield
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) == QUERY_CANCELLED:
                raise TooSlowError from None
            raise


@cache
def select(name: str) -> Any:  # noqa: ANN401  SQLAlchemy's text clause
    """The SELECT of a file, its ``$parameters`` bound."""
    return text(PARAMETER.sub(r":\1", (SQL / f"{name}.sql").read_text(encoding="utf-8")))


@cache
def _engine(url: str) -> Engine:
    return create_engine(
        url,
        pool_size=CONNECTIONS,
        pool_pre_ping=True,
        pool_recycle=600,
        hide_parameters=True,
        isolation_level="REPEATABLE READ",
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "arrears_ui",
            "options": f"-c statement_timeout={SECONDS}s -c default_transaction_read_only=on -c jit=off",
        },
    )
