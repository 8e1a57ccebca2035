"""Rows of a folder of files: fetched, read as declared, and run through the portfolio's SELECT in DuckDB.

Belongs here: finding files, making each kind a table of its name. CSV lines are split in ``arrears.sources.csv_text``.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from arrears.engine.duckdb import literal, parquet, quoted, view_of_files
from arrears.errors import SourceFileError, SourceNotReadyError, SourceQueryError
from arrears.portfolio import dated
from arrears.sources.csv_text import read_csv, row_schema
from arrears.sources.folder import Copy, SourceFolder
from arrears.sources.staging import Delivered, bound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date
    from pathlib import Path

    from arrears.portfolio import FolderSource, SourceFile
    from arrears.sources.delivery import Delivery

ABOUT_SQL = (duckdb.ParserException, duckdb.CatalogException, duckdb.BinderException)


@contextmanager
def rows_of_files(  # noqa: PLR0913  a delivery is its parts
    source: FolderSource,
    select: str,
    dates: Mapping[str, date],
    *,
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    where: str,
    delivery: Delivery | None = None,
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
        delivery: What the files are, where a control file says it; they must hold what it says.

    Raises:
        SourceNotReadyError: A file kind that the SELECT names has no file, or not the one the delivery declares.
        SourceUnreachableError: The file system did not answer.
        SourceColumnsError: A header is not the declared one.
        SourceFileError: A file is not what it is declared to be.
        ControlTotalError: A file has other rows or sums than the delivery declares.
        ControlFileError: The delivery declares what the files cannot hold.
        SourceQueryError: The SELECT does not run.
    """
    connection.execute("SET python_enable_replacements = false")
    shas: dict[str, str] = {}
    malformed: list[pa.Table] = []
    for name in _named(source, select):
        declared = source.files[name]
        copies = delivery.fetch(name, folder) if delivery else _fetched(source, name, dates, folder, where)
        shas |= {copy.name: copy.sha256 for copy in copies}
        lines: list[pa.Table] = []
        if declared.format == "csv":
            lines = _view_of_csv(connection, name, declared, copies, folder)
        else:
            _view_of_parquet(connection, name, copies)
        if delivery:
            counted = {copy.name: table.num_rows for copy, table in zip(copies, lines, strict=False)}
            delivery.check_content(connection, name, counted)
        malformed += lines
    rejected = folder / "malformed.parquet" if any(table.num_rows for table in malformed) else None
    if rejected:
        pq.write_table(pa.concat_tables(malformed), rejected)
    with _running(connection, select, dates, where) as reader:
        yield Delivered(reader, shas, rejected)


def find(source: FolderSource, declared: SourceFile, dates: Mapping[str, date]) -> list[str]:
    """Names of the day's files of one kind, sorted.

    Raises:
        SourceUnreachableError: The file system did not answer.
    """
    return SourceFolder(source.directory).names(dated(declared.pattern, dates))


def _fetched(source: FolderSource, name: str, dates: Mapping[str, date], folder: Path, where: str) -> list[Copy]:
    """Private copies of the day's files of one kind."""
    there = find(source, source.files[name], dates)
    if not there:
        pattern = dated(source.files[name].pattern, dates)
        raise SourceNotReadyError(f"no file {name}", f"{pattern} in the source's folder", where)
    files = SourceFolder(source.directory)
    return [
        files.fetch(file, folder / f"{name}-{number}{PurePosixPath(file).suffix}") for number, file in enumerate(there)
    ]


def _named(source: FolderSource, select: str) -> list[str]:
    """File kinds that the SELECT speaks of."""
    words = set(re.findall(r"\w+", bound(select, str, lambda _: " ").lower()))
    return [name for name in source.files if name.lower() in words]


def _view_of_csv(
    connection: duckdb.DuckDBPyConnection, name: str, declared: SourceFile, copies: list[Copy], folder: Path
) -> list[pa.Table]:
    """A view over the rows of CSV files; the lines that are none, by file."""
    staged = folder / f"{name}.rows.parquet"
    schema = row_schema(declared)
    with pq.ParquetWriter(staged, schema, compression="lz4") as rows:
        malformed = [read_csv(copy.path, declared, copy.name, rows).table() for copy in copies]
    view_of_files(connection, name, [str(staged)])
    return malformed


def _view_of_parquet(connection: duckdb.DuckDBPyConnection, name: str, copies: list[Copy]) -> None:
    """A view over Parquet files after every page of them was read once: a torn file must not fail inside a SELECT."""
    for copy in copies:
        try:
            with pq.ParquetFile(copy.path, page_checksum_verification=True) as file:
                for _ in file.iter_batches():
                    pass
        except (OSError, pa.ArrowException):
            raise SourceFileError("not readable as Parquet to its end", "a complete Parquet file", copy.name) from None
    parts = [
        f"SELECT * EXCLUDE (file_row_number), {literal(copy.name)} AS source_file, file_row_number + 1 AS source_line "
        f"FROM {parquet([str(copy.path)], file_row_number=True)}"
        for copy in copies
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
