"""Named tables made from SELECT files: what ageing asks of an engine, and how DuckDB answers.

Belongs here: the few things that a job made of several SELECTs needs. Reading and writing the lake is not one of them.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from arrears.engine.duckdb import quoted, select_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb
    import pyarrow as pa


class Tables(Protocol):
    """Tables of one job, gone with it."""

    def put(self, name: str, rows: pa.Table) -> None:
        """Make ``name`` from rows."""

    def make(self, name: str, select: str, known: Mapping[str, Any], *, append: bool = False) -> None:
        """Make ``name`` from ``sql/<select>.sql``, or add to it.

        Args:
            name: The table.
            select: File without its ending.
            known: Values by parameter; bound where the SELECT names them.
            append: Add the rows to what is there.
        """

    def take(self, name: str, source: str, condition: str, *, append: bool = False) -> None:
        """Make ``name`` from the rows of ``source`` that meet a condition, or add them to it."""

    def alias(self, name: str, source: str) -> None:
        """Let ``name`` stand for ``source``."""

    def rename(self, name: str, new: str) -> None:
        """Give a table the name of another, which is gone."""

    def number(self, query: str) -> int:
        """The one number that a query answers."""

    def rows(self, name: str) -> pa.Table:
        """A table's rows, here."""


class DuckTables:
    """Tables of a DuckDB connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def put(self, name: str, rows: pa.Table) -> None:
        """As the protocol says."""
        self._connection.register("given_rows", rows)
        self._connection.execute(f"{_into(name, append=False)} SELECT * FROM given_rows")
        self._connection.unregister("given_rows")

    def make(self, name: str, select: str, known: Mapping[str, Any], *, append: bool = False) -> None:
        """As the protocol says."""
        text = select_text(select)
        self._connection.execute(f"{_into(name, append=append)} {text}", bound(text, known))

    def take(self, name: str, source: str, condition: str, *, append: bool = False) -> None:
        """As the protocol says."""
        self._connection.execute(f"{_into(name, append=append)} SELECT * FROM {source} WHERE {condition}")

    def alias(self, name: str, source: str) -> None:
        """As the protocol says."""
        self._connection.execute(f"CREATE OR REPLACE VIEW {quoted(name)} AS SELECT * FROM {quoted(source)}")

    def rename(self, name: str, new: str) -> None:
        """As the protocol says."""
        self._connection.execute(f"DROP TABLE IF EXISTS {new}")
        self._connection.execute(f"ALTER TABLE {name} RENAME TO {new}")

    def number(self, query: str) -> int:
        """As the protocol says."""
        found: int = self._connection.execute(query).fetchall()[0][0]
        return found

    def rows(self, name: str) -> pa.Table:
        """As the protocol says."""
        return self._connection.table(name).to_arrow_table()


def bound(select: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the parameters that a SELECT names, comments apart."""
    named = _parameters_of(select)
    return {name: value for name, value in known.items() if name in named}


@cache
def _parameters_of(select: str) -> frozenset[str]:
    return frozenset(re.findall(r"\$(\w+)", re.sub(r"--.*", "", select)))


def _into(name: str, *, append: bool) -> str:
    return f"INSERT INTO {quoted(name)}" if append else f"CREATE OR REPLACE TABLE {quoted(name)} AS"
