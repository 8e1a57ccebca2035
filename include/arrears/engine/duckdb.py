"""The default engine: DuckDB in the task's process, closed to the network, UTC, bounded memory."""

from __future__ import annotations

import errno
import glob
import os
from contextlib import contextmanager
from functools import cache, partial
from importlib.resources import files
from itertools import count
from typing import TYPE_CHECKING

import duckdb
from pydantic import ByteSize, TypeAdapter

from arrears.errors import StorageError
from arrears.folders import private_folder
from arrears.kept import kept

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from arrears.settings import Settings

NUMBERS = count(1)
SIZE = TypeAdapter(ByteSize)
UNWRITABLE = {errno.ENOSPC: "no space left", errno.EDQUOT: "no quota left", errno.EROFS: "a disk that is read-only"}


@contextmanager
def connect(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty in-memory database that spills to a private folder and is gone afterwards."""
    with kept(("duckdb", settings.memory_limit, settings.threads), partial(_engine, settings)) as engine:
        connection = engine.cursor()
        name = f"work_{next(NUMBERS)}"
        try:
            # Of the whole engine: its last use may have set less.
            connection.execute(f"SET memory_limit = '{settings.memory_limit}'")
            connection.execute(f"ATTACH ':memory:' AS {name}")
            connection.execute(f"USE {name}")
            with storage_told():
                yield connection
        finally:
            connection.close()
            engine.execute(f"DETACH DATABASE IF EXISTS {name}")


@contextmanager
def storage_told() -> Iterator[None]:
    """Tell a full or closed disk by its code, whichever library met it.

    Raises:
        StorageError: It is one.
    """
    try:
        yield
    except (OSError, duckdb.Error) as error:
        number = getattr(error, "errno", None)
        found = [why for code, why in UNWRITABLE.items() if number == code or os.strerror(code) in str(error)]
        if not found:
            raise
        raise StorageError(found[0], "a disk with room that may be written", "lake or temporary folder") from None


@contextmanager
def _engine(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    with private_folder("arrears-duckdb-") as spill:
        engine = duckdb.connect(
            config={
                "memory_limit": settings.memory_limit,
                "threads": settings.threads,
                "temp_directory": str(spill),
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )
        try:
            engine.execute("SET GLOBAL TimeZone = 'UTC'")
            engine.execute("SET GLOBAL parquet_metadata_cache = true")  # a file of ours is never changed in place
            yield engine
        finally:
            engine.close()


@cache
def smaller_size(*sizes: str) -> str:
    """The smallest of some sizes: ``800MB``, ``2 GiB``."""
    return min(sizes, key=SIZE.validate_python)


@cache
def select_text(name: str) -> str:
    """Text of ``arrears/sql/<name>.sql``."""
    return files("arrears").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8").rstrip().rstrip(";")


def view_of_files(connection: duckdb.DuckDBPyConnection, name: str, paths: Sequence[str]) -> None:
    """Create or replace view ``name`` over Parquet files (at least one)."""
    connection.execute(f"CREATE OR REPLACE VIEW {quoted(name)} AS SELECT * FROM {parquet(paths)}")


def parquet(paths: Sequence[str], *, file_row_number: bool = False) -> str:
    """Table function over Parquet files: these paths, no patterns, and their columns only.

    Args:
        paths: At least one.
        file_row_number: Add a column of that name, from 0 in each file.
    """
    listed = ", ".join(literal(glob.escape(path)) for path in paths)
    numbered = ", file_row_number = true" if file_row_number else ""
    return f"read_parquet([{listed}], hive_partitioning = false{numbered})"


def literal(value: str) -> str:
    """A single-quoted SQL text."""
    return "'" + value.replace("'", "''") + "'"


def quoted(identifier: str) -> str:
    """A double-quoted SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'
