"""Rows between a job's engine and plain Python, typed by the contract of the table they are for.

Belongs here: the two directions, for the jobs whose rule is a Python function. Set-based jobs need neither.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from arrears.contracts import CONTRACTS
from arrears.contracts.model import ColumnType
from arrears.engine.duckdb import quoted, select_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from arrears.jobs.day import Work
    from arrears.lake import Manifest

ARROW = {
    ColumnType.TEXT: pa.string(),
    ColumnType.BIGINT: pa.int64(),
    ColumnType.INTEGER: pa.int32(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.DATE: pa.date32(),
    ColumnType.INSTANT: pa.timestamp("us", tz="UTC"),
}


@contextmanager
def without_cycle_search() -> Iterator[None]:
    """Let Python not look for cycles among rows, which have none, while a job makes millions of them.

    Of a plan of 160,000 contacts it was a quarter of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def read_rows(work: Work, select: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Rows of ``sql/<select>.sql`` as dictionaries."""
    table: Any = work.connection.sql(select_text(select), params=dict(parameters or {})).to_arrow_table()
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def write_rows(work: Work, table: str, rows: Sequence[Mapping[str, Any]]) -> Manifest:
    """Write the day's partition of ``table`` from rows that have exactly its contract's columns.

    Raises:
        SchemaRefusedError: A column that may not be NULL is.
    """
    columns = CONTRACTS[table].columns
    arrow = pa.table({c.name: pa.array([row[c.name] for row in rows], ARROW[c.type]) for c in columns})
    work.connection.complete()  # of a partition written before, whose last result may still be open
    work.connection.register("written_row", arrow)
    names = ", ".join(quoted(column.name) for column in columns)
    return work.write(table, select=f"SELECT {names} FROM written_row")
