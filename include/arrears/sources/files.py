"""Rows of a folder of files: fetched, read as declared, and run through the portfolio's SELECT in DuckDB.

Belongs here: finding files, making each kind a table of its name. What was delivered is opened in the limited process
of ``arrears.sources.parsing`` and nowhere else; DuckDB reads what that wrote.
"""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from arrears.engine.duckdb import parquet, quoted
from arrears.errors import SourceNotReadyError, SourceQueryError
from arrears.source_terms import dated, is_dated
from arrears.sources.folder import Copy, SourceFolder
from arrears.sources.limits import Limits, Shape, Trailer
from arrears.sources.parsing import Order, parse
from arrears.sources.staging import Delivered, bound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from arrears.source_terms import FileSource, FolderSource, SourceFile
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
        SourceNameError: What matches a pattern may not be opened.
        SourceFileError: A file is not what it is declared to be.
        SourceLimitError: A file is more than a file may be.
        ControlTotalError: A file has other rows or sums than the delivery declares.
        ControlFileError: The delivery declares what the files cannot hold.
        SourceQueryError: The SELECT does not run.
    """
    connection.execute("SET python_enable_replacements = false")
    shas: dict[str, str] = {}
    refusing: set[str] = set()
    malformed: list[pa.Table] = []
    for name in _named(source, select):
        declared = source.files[name]
        most = source.limits.delivered_mb
        copies = delivery.fetch(name, folder, most) if delivery else _fetched(source, name, dates, folder, where)
        shas |= {copy.name: copy.sha256 for copy in copies}
        refusing |= {copy.name for copy in copies if declared.unreadable == "refuse"}
        order = Order(
            [(str(copy.path), copy.name) for copy in copies],
            _shape(declared),
            Limits(**source.limits.model_dump()),
            str(folder / f"{name}.rows.parquet"),
            str(folder / f"{name}.malformed.parquet"),
        )
        counted = parse(order)
        _view(connection, name, order)
        if delivery:
            delivery.check_content(connection, name, counted)
        if any(counted.values()):
            malformed.append(pq.read_table(order.malformed))
    rejected = folder / "malformed.parquet" if malformed else None
    if rejected:
        pq.write_table(pa.concat_tables(malformed), rejected)
    with _running(connection, select, dates, where) as reader:
        yield Delivered(reader, shas, rejected, frozenset(refusing))


def _shape(declared: SourceFile) -> Shape:
    trailer = Trailer(**declared.trailer.model_dump()) if declared.trailer else None
    return Shape(declared.format, declared.delimiter, declared.encoding, declared.columns, trailer)


def growing(source: FileSource, names: Sequence[str]) -> list[str]:
    """Which of the files are still being written: those changed just now are looked at twice.

    Raises:
        SourceNotReadyError: One is not there any more.
        SourceUnreachableError: The file system did not answer.
    """
    folder, now = SourceFolder(source.directory), time.time()
    states = {name: folder.state(name) for name in names}
    fresh = {name: state for name, state in states.items() if state and now - state[1] < source.settle_seconds}
    if not fresh:
        return []
    time.sleep(source.settle_seconds)
    return [name for name, state in fresh.items() if folder.state(name) != state]


def others_than(source: FileSource, select: str, dates: Mapping[str, date], known: Mapping[str, str]) -> list[str]:
    """Names of the day's files that are not what was read before: other content under a name, or a name that is new.

    Files that went away are no others. Nor is a kind whose pattern has no date: its name is another file every day.

    Args:
        source: Folder and file kinds.
        select: Whose files.
        dates: The day's.
        known: SHA-256 by name, of what was read before.

    Raises:
        SourceNotReadyError: One went away meanwhile.
        SourceLimitError: One is larger than a file may be.
        SourceUnreachableError: The file system did not answer.
    """
    folder = SourceFolder(source.directory)
    kinds = [kind for name in _named(source, select) if is_dated((kind := source.files[name]).pattern)]
    there = [name for kind in kinds for name in find(source, kind, dates)]
    most = source.limits.delivered_mb
    return [name for name in there if not folder.is_plain(name) or folder.sha256(name, most) != known.get(name)]


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
    for file in there:
        files.check_plain(file)
    return [
        files.fetch(file, folder / f"{name}-{number}{PurePosixPath(file).suffix}", source.limits.delivered_mb)
        for number, file in enumerate(there)
    ]


def _named(source: FolderSource, select: str) -> list[str]:
    """File kinds that the SELECT speaks of."""
    words = set(re.findall(r"\w+", bound(select, str, lambda _: " ").lower()))
    return [name for name in source.files if name.lower() in words]


def _view(connection: duckdb.DuckDBPyConnection, name: str, order: Order) -> None:
    """A view over the rows that the reader wrote; Parquet files of a kind need not have the same columns."""
    parts = [f"SELECT * FROM {parquet([part])}" for part in order.parts]
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
