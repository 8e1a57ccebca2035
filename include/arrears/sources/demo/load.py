"""Delivers the demo's world: as the schema ``core_banking`` of a PostgreSQL database, or as ledger files.

Belongs here: bringing chunks where they are wanted, once. What is in them stands in the other modules.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from arrears.errors import ConfigurationError
from arrears.sources.demo.calendar import Calendar, number_of
from arrears.sources.demo.contacts import contact_log
from arrears.sources.demo.files import LedgerFiles
from arrears.sources.demo.people import people
from arrears.sources.demo.planted import PLANTED, good_loans, plant
from arrears.sources.demo.schema import MARKER, SCHEMA, SOURCE
from arrears.sources.demo.staff import staff
from arrears.sources.demo.tables import books
from arrears.sources.demo.totals import Totals
from arrears.sources.demo.truth import TRUTH, truth
from arrears.sources.demo.world import GENERATOR_VERSION, chunks, make
from arrears.warehouse.connection import bulk_connection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from adbc_driver_postgresql import dbapi

TRUTH_DAYS = 3
WORKERS = 2
IDENTITY = b"arrears.demo"
LOCK = "SELECT pg_advisory_xact_lock(hashtext('arrears.demo_ledger'))"


@dataclass(frozen=True)
class Order:
    """Which ledger: equal orders give equal ledgers.

    Attributes:
        loans: Number of loans.
        as_of: Business date; the world ends the day before.
        seed: Of the random draws.
    """

    loans: int
    as_of: date
    seed: int

    @property
    def identity(self) -> dict[str, Any]:
        """The order and the version of the generator, as stored beside what was made."""
        return {
            "loans": self.loans,
            "as_of": self.as_of.isoformat(),
            "seed": self.seed,
            "generator_version": GENERATOR_VERSION,
        }


@dataclass(frozen=True)
class Chunk:
    """One part of the world, ready to be delivered.

    Attributes:
        tables: Source tables by name.
        truth: Expected figures of the last business dates.
        planted: The mistakes in ``tables``.
    """

    tables: dict[str, pa.Table]
    truth: pa.Table
    planted: pa.Table


class Sink(Protocol):
    """Where chunks go."""

    def write(self, tables: dict[str, pa.Table]) -> None:
        """Take some rows of some source tables."""


def make_demo(loans: int, as_of: date, seed: int, out: Path | None, database: str | None) -> dict[str, Any]:
    """Make the demo ledger as files, in a database, or both.

    Args:
        loans: Number of loans, at least 1.
        as_of: Business date; the world ends the day before.
        seed: Same seed, same ledger.
        out: Folder for one Parquet file per ledger table as of ``as_of``, ``truth.parquet`` and ``planted.parquet``.
        database: SQLAlchemy URL of a PostgreSQL database whose schema ``core_banking`` is filled.

    Returns:
        The arguments, rows per table written to files, and whether the database was filled or held it already.

    Raises:
        ConfigurationError: No loan, or the URL is no PostgreSQL URL.
        WarehouseUnreachableError: The database did not answer.
    """
    order = Order(loans, as_of, seed)
    result: dict[str, Any] = order.identity
    if out is not None:
        result |= _files(order, out)
    if database is not None:
        result |= load_demo(database, loans=loans, as_of=as_of, seed=seed)
    return result


def load_demo(url: str, *, loans: int, as_of: date, seed: int, truth: Path | None = None) -> dict[str, Any]:
    """Fill schema ``core_banking`` in one transaction; a second equal call changes nothing.

    Args:
        url: SQLAlchemy URL of a PostgreSQL database.
        loans: As ``make_demo``.
        as_of: As ``make_demo``.
        seed: As ``make_demo``.
        truth: Also write the expected figures here, unless the file is there for the same ledger.

    Returns:
        The arguments and ``database``: ``filled``, or ``unchanged`` when it was there.

    Raises:
        ConfigurationError: No loan, or the URL is no PostgreSQL URL.
        WarehouseUnreachableError: The database did not answer; what was there before is still there.
    """
    _check_postgresql(url)
    order = Order(loans, as_of, seed)
    with bulk_connection(url) as connection, connection.cursor() as cursor:
        cursor.execute(LOCK)
        is_there = _is_filled(cursor, order)
        if not is_there or not _is_truth_of(truth, order):
            sinks: list[Sink] = [] if is_there else [_Database(cursor)]
            with _truth_file(truth, order) as truths:
                _deliver(order, sinks, truths)
        if not is_there:
            _finish(cursor, order)
        connection.commit()
    return {**order.identity, "database": "unchanged" if is_there else "filled"}


def _deliver(order: Order, sinks: list[Sink], truths: pq.ParquetWriter | None) -> pa.Table:
    """Make the world once and hand every part to every sink; the list of planted mistakes comes back."""
    calendar = Calendar(number_of(order.as_of))
    totals = Totals(calendar)
    planted = [PLANTED.empty_table()]
    for chunk in _made(order):
        totals.add(chunk.tables)
        for sink in sinks:
            sink.write(chunk.tables)
        if truths is not None:
            truths.write_table(chunk.truth)
        planted.append(chunk.planted)
    for sink in sinks:
        sink.write(staff(calendar, order.loans, order.seed) | totals.tables())
    return pa.concat_tables(planted)


def _made(order: Order) -> Iterator[Chunk]:
    """The chunks in order, a few made ahead."""
    if order.loans < 1:
        raise ConfigurationError(f"{order.loans} loans", "at least 1", "demo-ledger")
    with ThreadPoolExecutor(WORKERS) as pool:
        ahead: deque[Any] = deque()
        for part in chunks(order.loans):
            ahead.append(pool.submit(make_chunk, number_of(order.as_of), order.seed, *part))
            if len(ahead) > WORKERS:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def make_chunk(as_of: int, seed: int, index: int, first: int, loans: int) -> Chunk:
    """One chunk with everything around it.

    Args:
        as_of: Day number of the business date.
        seed: Of the ledger.
        index: Number of the chunk.
        first: Number of its first loan.
        loans: Its loans.
    """
    plan = make(as_of, seed, index, first, loans)
    random = np.random.default_rng((seed, index, 1))  # draws of its own: the books do not move when people do
    parties = people(plan, random)
    tables = {**parties.tables, "contact_log": contact_log(plan, parties, random), **books(plan, random)}
    tables, planted = plant(plan, tables)
    expected = pa.concat_tables([truth(plan, day) for day in range(as_of - TRUTH_DAYS + 1, as_of + 1)])
    return Chunk(tables, expected.filter(good_loans(plan, expected["loan_id"])), planted)


def _files(order: Order, out: Path) -> dict[str, Any]:
    out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        truths = stack.enter_context(_truth_file(out / "truth.parquet", order))
        files = stack.enter_context(LedgerFiles(out, order.as_of))
        planted = _deliver(order, [files], truths)
        pq.write_table(planted, out / "planted.parquet")
    return {"out": str(out), "rows": files.rows, "planted": dict(Counter(planted["mistake"].to_pylist()))}


# ------------------------------------------------------------------------------------------------------- database
@dataclass(frozen=True)
class _Database:
    """Appends to freshly made tables, over one open transaction."""

    cursor: dbapi.Cursor

    def __post_init__(self) -> None:
        self.cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        for table in (*SOURCE, MARKER):
            self.cursor.execute(f"DROP TABLE IF EXISTS {SCHEMA}.{table.name}")
            for statement in table.create:
                self.cursor.execute(statement)

    def write(self, tables: dict[str, pa.Table]) -> None:
        for name, rows in tables.items():
            if rows.num_rows:
                self.cursor.adbc_ingest(name, rows, mode="append", db_schema_name=SCHEMA)


def _finish(cursor: dbapi.Cursor, order: Order) -> None:
    """Indexes, statistics, and the marker by which an equal call knows the schema."""
    for table in SOURCE:
        for statement in table.create_indexes:
            cursor.execute(statement)
        cursor.execute(f"ANALYZE {SCHEMA}.{table.name}")
    cursor.execute(
        f"INSERT INTO {SCHEMA}.{MARKER.name} VALUES "
        f"({order.loans}, DATE '{order.as_of}', {order.seed}, {GENERATOR_VERSION}, now())"
    )


def _is_filled(cursor: dbapi.Cursor, order: Order) -> bool:
    cursor.execute(f"SELECT to_regclass('{SCHEMA}.{MARKER.name}') IS NOT NULL")
    if not cursor.fetchone()[0]:
        return False
    cursor.execute(f"SELECT loans, as_of, seed, generator_version FROM {SCHEMA}.{MARKER.name}")
    found = cursor.fetchall()
    return bool(found == [(order.loans, order.as_of, order.seed, GENERATOR_VERSION)])


def _check_postgresql(url: str) -> None:
    try:
        backend = make_url(url).get_backend_name()
    except ArgumentError:
        backend = "no URL"
    if backend != "postgresql":
        raise ConfigurationError(f"the database is {backend}", "postgresql+psycopg://user@host/database", "demo-ledger")


# ---------------------------------------------------------------------------------------------------------- truth
@contextmanager
def _truth_file(path: Path | None, order: Order) -> Iterator[pq.ParquetWriter | None]:
    """A writer of expected figures that shows its file only when it is whole; None without a path."""
    if path is None:
        yield None
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    schema = TRUTH.with_metadata({IDENTITY: json.dumps(order.identity, sort_keys=True)})
    with pq.ParquetWriter(partial, schema, compression="zstd") as writer:
        yield writer
    partial.replace(path)


def _is_truth_of(path: Path | None, order: Order) -> bool:
    if path is None:
        return True
    if not path.is_file():
        return False
    metadata = pq.read_schema(path).metadata or {}
    return metadata.get(IDENTITY) == json.dumps(order.identity, sort_keys=True).encode()
