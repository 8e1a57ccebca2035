"""The default engine: DuckDB in the task's process, closed to the network, UTC, bounded memory."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from arrears.settings import Settings


@contextmanager
def connect(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory connection that spills to a private folder and is closed afterwards."""
    with tempfile.TemporaryDirectory(prefix="arrears-duckdb-") as spill:
        connection = duckdb.connect(
            config={
                "memory_limit": settings.memory_limit,
                "threads": settings.threads,
                "temp_directory": spill,
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )
        connection.execute("SET TimeZone = 'UTC'")
        try:
            yield connection
        finally:
            connection.close()


@cache
def select_text(name: str) -> str:
    """Text of ``arrears/sql/<name>.sql``."""
    return files("arrears").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8").rstrip().rstrip(";")


def view_of_files(connection: duckdb.DuckDBPyConnection, name: str, paths: Sequence[str]) -> None:
    """Create or replace view ``name`` over Parquet files (at least one)."""
    listed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    connection.execute(f'CREATE OR REPLACE VIEW "{name}" AS SELECT * FROM read_parquet([{listed}])')


def quoted(identifier: str) -> str:
    """A double-quoted SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'
