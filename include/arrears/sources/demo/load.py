"""Delivers a demo's world: as the schema ``core_banking`` of a PostgreSQL database, as file drops, as ledger files.

Belongs here: bringing chunks where they are wanted, once. What is in them stands in the other modules.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from arrears.errors import ConfigurationError
from arrears.sources.demo import drops
from arrears.sources.demo.calendar import number_of
from arrears.sources.demo.columns import loan_ids
from arrears.sources.demo.contacts import attempts, contact_log, promise, promises
from arrears.sources.demo.files import LedgerFiles
from arrears.sources.demo.order import Order
from arrears.sources.demo.people import people
from arrears.sources.demo.planted import PLANTED, arrears_list, good_loans, plant
from arrears.sources.demo.schema import MARKER, SCHEMA, SOURCE
from arrears.sources.demo.staff import roster_of, staff
from arrears.sources.demo.stories import told
from arrears.sources.demo.tables import books
from arrears.sources.demo.totals import Totals
from arrears.sources.demo.truth import TRUTH, truth
from arrears.sources.demo.world import chunks, make
from arrears.warehouse.connection import bulk_connection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from adbc_driver_postgresql import dbapi

DAYS = 3  # that a demo's truth tells when nothing else is asked for
WORKERS = 2
IDENTITY = b"arrears.demo"
LOCK = "SELECT pg_advisory_xact_lock(hashtext('arrears.demo_ledger'))"


@dataclass(frozen=True)
class Chunk:
    """One part of the world, ready to be delivered.

    Attributes:
        tables: Source tables by name.
        truth: Expected figures of the order's business dates.
        planted: The mistakes in ``tables``.
        stories: The arranged loans: loan_id, story, look_at.
    """

    tables: dict[str, pa.Table]
    truth: pa.Table
    planted: pa.Table
    stories: list[dict[str, str]]


class Sink(Protocol):
    """Where chunks go."""

    def write(self, tables: dict[str, pa.Table]) -> None:
        """Take some rows of some source tables."""


def last_days(as_of: date) -> tuple[date, ...]:
    """The business dates of a short demo that ends on ``as_of``."""
    return tuple(as_of - timedelta(days=back) for back in reversed(range(DAYS)))


def fill_demo(  # noqa: PLR0913  an order and where it goes
    portfolio: str,
    *,
    loans: int,
    seed: int,
    business_dates: Iterable[date],
    target: str,
    truth: Path | None = None,
) -> dict[str, Any]:
    """Make the source of a demo portfolio hold the ledger of every given business date; an equal call changes nothing.

    Args:
        portfolio: Its name.
        loans: Number of loans.
        seed: Same seed, same ledger.
        business_dates: The world begins fourteen months before the first and ends the day before the last.
        target: Where its SELECTs look: the SQLAlchemy URL of a PostgreSQL database, whose schema ``core_banking`` is
            filled in one transaction, or the folder of an inbox, which gets one drop per date.
        truth: Also write the expected figures of every date here, and ``stories.json`` beside it, unless they are
            there for the same order.

    Returns:
        The order and ``source``: ``filled``, or ``unchanged`` when everything was there.

    Raises:
        ConfigurationError: No such demo, no loan, no date, no PostgreSQL URL, or an inbox of another ledger.
        WarehouseUnreachableError: The database did not answer; what was there before is still there.
    """
    order = Order.of(portfolio, loans=loans, seed=seed, dates=business_dates)
    if order.lender.delivers == "inbox":
        is_new = _fill_inbox(order, Path(target), truth)
    else:
        is_new = _fill_database(order, target, truth)
    return {**order.identity, "source": "filled" if is_new else "unchanged"}


def write_demo(order: Order, out: Path) -> dict[str, Any]:
    """Write one Parquet file per ledger table as of the order's last date, its truth, its stories and mistakes.

    Args:
        order: Which ledger.
        out: Folder; made when it is not there.

    Returns:
        The order, the rows per table, and the planted mistakes by kind.
    """
    out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        truths = stack.enter_context(_truth_file(out / "truth.parquet", order))
        files = stack.enter_context(LedgerFiles(out, order.as_of))
        planted = _deliver(order, [files], truths)
        pq.write_table(planted, out / "planted.parquet")
    mistakes = dict(Counter(planted["mistake"].to_pylist()))
    return {**order.identity, "out": str(out), "rows": files.rows, "planted": mistakes}


def _fill_database(order: Order, url: str, truth: Path | None) -> bool:
    _check_postgresql(url)
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
    return not is_there


def _fill_inbox(order: Order, inbox: Path, truth: Path | None) -> bool:
    dates = drops.missing(order, inbox)
    if dates or not _is_truth_of(truth, order):
        sink = drops.Drops(inbox, dates)
        with _truth_file(truth, order) as truths:
            _deliver(order, [sink], truths)
        sink.deliver()
        drops.mark(order, inbox, dates)
    return bool(dates)


def _deliver(order: Order, sinks: list[Sink], truths: _Truths | None) -> pa.Table:
    """Make the world once and hand every part to every sink; the list of planted mistakes comes back."""
    totals = Totals(order.calendar)
    planted = [PLANTED.empty_table()]
    for chunk in _made(order):
        totals.add(chunk.tables)
        for sink in sinks:
            sink.write(chunk.tables)
        if truths is not None:
            truths.write(chunk)
        planted.append(chunk.planted)
    for sink in sinks:
        sink.write(staff(order) | totals.tables())
    return pa.concat_tables(planted)


def _made(order: Order) -> Iterator[Chunk]:
    """The chunks in order, a few made ahead."""
    with ThreadPoolExecutor(WORKERS) as pool:
        ahead: deque[Any] = deque()
        for part in chunks(order.loans):
            ahead.append(pool.submit(make_chunk, order, *part))
            if len(ahead) > WORKERS:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def make_chunk(order: Order, index: int, first: int, loans: int) -> Chunk:
    """One chunk with everything around it.

    Args:
        order: Which ledger.
        index: Number of the chunk.
        first: Number of its first loan.
        loans: Its loans.
    """
    plan = make(order, index, first, loans)
    random = np.random.default_rng((order.seed, index, 1))  # of its own: the books do not move when people do
    parties = people(plan, random)
    tried = attempts(plan, parties, random)
    plan.promises = promises(plan, tried, roster_of(order), random)
    tables = {
        **parties.tables,
        "contact_log": contact_log(plan, tried, random),
        "promise": promise(plan),
        **books(plan, random),
    }
    tables, planted = plant(plan, tables)
    expected = pa.concat_tables([truth(plan, number_of(day)) for day in order.dates])
    tables["arrears_list"] = arrears_list(expected)
    names = loan_ids(plan.numbers)
    stories = [
        {"loan_id": names[row].as_py(), "story": story.name, "look_at": story.look_at} for row, story in told(plan)
    ]
    return Chunk(tables, expected.filter(good_loans(plan, expected["loan_id"])), planted, stories)


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
    cursor.execute(f"INSERT INTO {SCHEMA}.{MARKER.name} VALUES ('{_told(order.identity)}', now())")


def _is_filled(cursor: dbapi.Cursor, order: Order) -> bool:
    held = (
        "SELECT count(*) FROM information_schema.columns "
        f"WHERE (table_schema, table_name, column_name) = ('{SCHEMA}', '{MARKER.name}', 'identity')"
    )
    cursor.execute(held)
    if not cursor.fetchone()[0]:
        return False
    cursor.execute(f"SELECT identity FROM {SCHEMA}.{MARKER.name}")
    return bool(cursor.fetchall() == [(_told(order.identity),)])


def _check_postgresql(url: str) -> None:
    try:
        backend = make_url(url).get_backend_name()
    except ArgumentError:
        backend = "no URL"
    if backend != "postgresql":
        raise ConfigurationError(f"the database is {backend}", "postgresql+psycopg://user@host/database", "demo-ledger")


# ---------------------------------------------------------------------------------------------------------- truth
@dataclass
class _Truths:
    """Writes expected figures and gathers stories."""

    writer: pq.ParquetWriter
    stories: list[dict[str, str]]

    def write(self, chunk: Chunk) -> None:
        self.writer.write_table(chunk.truth)
        self.stories += chunk.stories


@contextmanager
def _truth_file(path: Path | None, order: Order) -> Iterator[_Truths | None]:
    """Expected figures and stories, shown only when they are whole; None without a path."""
    if path is None:
        yield None
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    schema = TRUTH.with_metadata({IDENTITY: _told(_with_dates(order))})
    stories: list[dict[str, str]] = []
    with pq.ParquetWriter(partial, schema, compression="zstd") as writer:
        yield _Truths(writer, stories)
    told_ones = json.dumps(stories, indent=1, ensure_ascii=False)
    (path.parent / "stories.json").write_text(told_ones + "\n", encoding="utf-8")
    partial.replace(path)


def _is_truth_of(path: Path | None, order: Order) -> bool:
    if path is None:
        return True
    if not path.is_file():
        return False
    metadata = pq.read_schema(path).metadata or {}
    return metadata.get(IDENTITY) == _told(_with_dates(order)).encode()


def _with_dates(order: Order) -> dict[str, Any]:
    return {**order.identity, "dates": [day.isoformat() for day in order.dates]}


def _told(content: dict[str, Any]) -> str:
    return json.dumps(content, sort_keys=True)
