"""Rows of a folder of files: fetched, read as declared, and run through the portfolio's SELECT in DuckDB.

Belongs here: finding files, making each kind a table of its name. CSV lines are split in ``arrears.sources.csv_text``.
"""

from __future__ import annotations

import glob
import hashlib
import re
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import duckdb
import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from arrears.engine.duckdb import literal, parquet, quoted, view_of_files
from arrears.errors import (
    ConfigurationError,
    SourceFileError,
    SourceNotReadyError,
    SourceQueryError,
    SourceUnreachableError,
)
from arrears.sources.csv_text import CHUNK, read_csv, row_schema
from arrears.sources.staging import Delivered, bound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date
    from pathlib import Path

    from arrears.portfolio import FileSource, SourceFile

ABOUT_SQL = (duckdb.ParserException, duckdb.CatalogException, duckdb.BinderException)


@contextmanager
def rows_of_files(  # noqa: PLR0913  a delivery is its parts
    source: FileSource,
    select: str,
    dates: Mapping[str, date],
    *,
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    where: str,
) -> Iterator[Delivered]:
    """Run one SELECT over the day's files.

    Args:
        source: Folder and file kinds.
        select: With ``:business_date`` and ``:closing_date``; every file kind is a table of its name, and carries
            ``source_file`` and ``source_line``.
        dates: Their values.
        connection: Where the SELECT runs.
        folder: Private folder for copies of the files.
        where: File of the SELECT, for errors.

    Raises:
        SourceNotReadyError: A file kind that the SELECT names has no file.
        SourceUnreachableError: The file system did not answer.
        SourceColumnsError: A header is not the declared one.
        SourceFileError: A file is not what it is declared to be.
        SourceQueryError: The SELECT does not run.
    """
    connection.execute("SET python_enable_replacements = false")
    shas: dict[str, str] = {}
    malformed: list[pa.Table] = []
    for name in _named(source, select):
        declared = source.files[name]
        there = find(source, declared, dates)
        if not there:
            raise SourceNotReadyError(f"no file {name}", f"{_pattern(declared, dates)} in the source's folder", where)
        copies = {path: folder / f"{name}-{number}{PurePosixPath(path).suffix}" for number, path in enumerate(there)}
        for path, copy in copies.items():
            shas[_shown(source, path)] = _fetch(source, path, copy)
        shown = {copy: _shown(source, path) for path, copy in copies.items()}
        if declared.format == "csv":
            malformed += _view_of_csv(connection, name, declared, shown, folder)
        else:
            _view_of_parquet(connection, name, shown)
    rejected = folder / "malformed.parquet" if any(table.num_rows for table in malformed) else None
    if rejected:
        pq.write_table(pa.concat_tables(malformed), rejected)
    with _running(connection, select, dates, where) as reader:
        yield Delivered(reader, shas, rejected)


def find(source: FileSource, declared: SourceFile, dates: Mapping[str, date]) -> list[str]:
    """Paths of the day's files of one kind, sorted.

    Raises:
        SourceUnreachableError: The file system did not answer.
    """
    pattern = _pattern(declared, dates)
    try:
        files, root = fsspec.core.url_to_fs(source.directory)
        return sorted(files.glob(f"{glob.escape(root.rstrip('/'))}/{pattern}"))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SourceUnreachableError(type(error).__name__, "a folder that answers", source.directory) from None


def _pattern(declared: SourceFile, dates: Mapping[str, date]) -> str:
    """The glob with its dates; ``{closing_date:%Y%m%d}`` gives another form."""
    try:
        return declared.pattern.format(**dates)
    except (KeyError, IndexError, ValueError):
        raise ConfigurationError(
            f"pattern {declared.pattern!r}", "{business_date} and {closing_date} only", "source.files"
        ) from None


def _named(source: FileSource, select: str) -> list[str]:
    """File kinds that the SELECT speaks of."""
    words = set(re.findall(r"\w+", bound(select, str, lambda _: " ").lower()))
    return [name for name in source.files if name.lower() in words]


def _shown(source: FileSource, path: str) -> str:
    root = str(fsspec.core.url_to_fs(source.directory)[1]).rstrip("/")
    return path.removeprefix(f"{root}/")


def _fetch(source: FileSource, path: str, copy: Path) -> str:
    """Copy one file, so that what is hashed is what is read; answer its SHA-256."""
    digest = hashlib.sha256()
    try:
        files, _ = fsspec.core.url_to_fs(source.directory)
        with files.open(path, "rb") as remote, copy.open("wb") as local:
            while chunk := remote.read(CHUNK):
                digest.update(chunk)
                local.write(chunk)
    except FileNotFoundError:
        raise SourceNotReadyError("a file went away", "a complete delivery", _shown(source, path)) from None
    except OSError as error:
        raise SourceUnreachableError(type(error).__name__, "a readable file", _shown(source, path)) from None
    return digest.hexdigest()


def _view_of_csv(
    connection: duckdb.DuckDBPyConnection, name: str, declared: SourceFile, copies: Mapping[Path, str], folder: Path
) -> list[pa.Table]:
    staged = folder / f"{name}.rows.parquet"
    schema = row_schema(declared)
    with pq.ParquetWriter(staged, schema, compression="lz4") as rows:
        malformed = [read_csv(copy, declared, shown, rows).table() for copy, shown in copies.items()]
    view_of_files(connection, name, [str(staged)])
    return malformed


def _view_of_parquet(connection: duckdb.DuckDBPyConnection, name: str, copies: Mapping[Path, str]) -> None:
    """A view over Parquet files after every page of them was read once: a torn file must not fail inside a SELECT."""
    for copy, shown in copies.items():
        try:
            with pq.ParquetFile(copy, page_checksum_verification=True) as file:
                for _ in file.iter_batches():
                    pass
        except (OSError, pa.ArrowException):
            raise SourceFileError("not readable as Parquet to its end", "a complete Parquet file", shown) from None
    parts = [
        f"SELECT * EXCLUDE (file_row_number), {literal(shown)} AS source_file, file_row_number + 1 AS source_line "
        f"FROM {parquet([str(copy)], file_row_number=True)}"
        for copy, shown in copies.items()
    ]
    connection.execute(f"CREATE OR REPLACE VIEW {quoted(name)} AS {' UNION ALL BY NAME '.join(parts)}")


@contextmanager
def _running(
    connection: duckdb.DuckDBPyConnection, select: str, dates: Mapping[str, date], where: str
) -> Iterator[pa.RecordBatchReader]:
    try:
        statements = duckdb.extract_statements(bound(select, lambda name: f"CAST(${name} AS DATE)"))
        if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
            raise _not_run("not one SELECT", where)
        parameters: dict[str, Any] = {name: dates[name] for name in statements[0].named_parameters}
        reader = connection.sql(statements[0].query, params=parameters).to_arrow_reader()
        yield pa.RecordBatchReader.from_batches(reader.schema, _batches_of(reader, where))
    except duckdb.Error as error:
        found = str(error).splitlines()[0] if isinstance(error, ABOUT_SQL) else type(error).__name__
        raise _not_run(found, where) from None


def _batches_of(reader: pa.RecordBatchReader, where: str) -> Iterator[pa.RecordBatch]:
    """The batches; a failure between two of them comes from Arrow, with the offending value in its text."""
    try:
        yield from reader
    except (OSError, pa.ArrowException) as error:
        raise _not_run(str(error).partition(":")[0], where) from None


def _not_run(found: str, where: str) -> SourceQueryError:
    return SourceQueryError(f"the SELECT does not run: {found}", "one SELECT over the declared files", where)
