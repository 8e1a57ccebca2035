"""Extract: one ledger table of the day from its source into the lake, frozen with the instant it was known.

Belongs here: the order of steps. How rows are had and read stands in ``arrears.sources``.
"""

from __future__ import annotations

import hashlib
import json
import logging
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from arrears.contracts import CONTRACTS
from arrears.contracts.ledger import CONTROL_TOTAL, LEDGER
from arrears.engine.duckdb import connect
from arrears.errors import ConfigurationError, DeliveryConflictError, SourceNotReadyError, SourceQueryError
from arrears.failpoints import failpoint
from arrears.folders import private_folder
from arrears.jobs.day import Day, summary
from arrears.jobs.pick_up import DELIVERY, delivery_for, inbox_of, is_of
from arrears.lake import note_written
from arrears.portfolio import PortfolioFolder, load_folder
from arrears.settings import load_settings
from arrears.source_terms import DatabaseSource, FileSource
from arrears.sources.convert import extract_select, has_unreadable, refuse_unreadable, unreadable_rows
from arrears.sources.database import rows_of_database
from arrears.sources.files import find, growing, others_than, rows_of_files
from arrears.sources.staging import Delivered, Staged, check_delivery, stage
from arrears.sources.vault import keep_rejected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb

    from arrears.contracts.model import Contract
    from arrears.lake import Manifest
    from arrears.settings import Settings
    from arrears.sources.delivery import Delivery

log = logging.getLogger(__name__)
MEMORY_LIMIT = "800MB"  # tables are extracted side by side: with staging, a process stays under 1.5 GB
FILES = "files"  # name of the input of an extract that holds SHA-256 by file, as JSON
RAW = {contract.noun: contract for contract in (*LEDGER, CONTROL_TOTAL)}
IS_READY = {True: True, False: False, None: False, "true": True, "false": False, "1": True, "0": False}


def tables_to_extract(portfolio: str, *, settings: Settings | None = None) -> list[str]:
    """Nouns of the ledger tables that the portfolio maps, and ``control_total`` where it has a ``control.sql``.

    Raises:
        ConfigurationError: The portfolio is wrong.
    """
    return list(_selects(load_folder(portfolio, settings or load_settings())))


def source_is_ready(portfolio: str, business_date: date, *, settings: Settings | None = None) -> bool:
    """Whether the source has closed the day's ledger; what is missing is in the log.

    Raises:
        ArrearsError: As ``check_source_ready``, but for ``SourceNotReadyError``.
    """
    try:
        check_source_ready(portfolio, business_date, settings=settings)
    except SourceNotReadyError as late:
        log.info("%s", late)
        return False
    return True


def check_source_ready(portfolio: str, business_date: date, *, settings: Settings | None = None) -> None:
    """Refuse a day whose ledger the source has not closed.

    Every file kind is there and none grows, or the inbox holds a complete delivery; and ``ready.sql``, if any, agrees.

    Raises:
        SourceNotReadyError: Says what is missing.
        ControlFileError: The control file in the inbox is no control file of that day.
        DeliveryConflictError: The delivery is a copy of the day before.
        SourceUnreachableError: The source did not answer.
        SourceQueryError: ``ready.sql`` does not run, or does not answer with one boolean.
    """
    day = Day.open(portfolio, business_date, settings=settings)
    source = day.folder.portfolio.source
    if isinstance(source, FileSource):
        there = {name: find(source, kind, _dates(day)) for name, kind in source.files.items()}
        missing = [name for name, files in there.items() if not files]
        if missing:
            raise SourceNotReadyError(f"no file {', '.join(missing)}", "a file of every kind", source.directory)
        unfinished = growing(source, [file for files in there.values() for file in files])
        if unfinished:
            raise SourceNotReadyError(f"{', '.join(unfinished)} still growing", "files that rest", source.directory)
    inbox = inbox_of(day)
    if inbox is not None:
        inbox.check_ready()
    if day.folder.ready and not _says_ready(day):
        raise SourceNotReadyError("ready.sql says no", "a ledger closed for the date", f"{portfolio} {business_date}")


def _says_ready(day: Day) -> bool:
    where = f"{day.name}/ready.sql"
    delivery = delivery_for(day, None, refresh_source=True)
    with _workshop(day) as shop, _delivered(day, day.folder.ready, None, where, shop, delivery=delivery) as delivered:
        table = delivered.reader.read_all()
    answer = table.column(0)[0].as_py() if table.shape == (1, 1) else "of another shape"
    if answer not in IS_READY:
        raise SourceQueryError("ready.sql answers something else", "one row with one boolean", where)
    return IS_READY[answer]


def extract(  # noqa: PLR0913  a job is called with all of it
    portfolio: str,
    business_date: date,
    noun: str,
    *,
    refresh_source: bool = False,
    run_ref: str = "",
    now: datetime | None = None,
    settings: Settings | None = None,
) -> dict[str, Any]:
    """Extract one table of the day, or keep the extract that is there.

    Args:
        portfolio: Folder name.
        business_date: The day.
        noun: Ledger table without its layer, or ``control_total``.
        refresh_source: Extract again what is there; a source that has changed makes later dates stale.
        run_ref: The run, for people.
        now: Instant of extraction, recorded as what the day knew; the clock's when not given.
        settings: This deployment, unless a test brings its own.

    Returns:
        Rows, totals and content hash; whether an extract was kept; how many rows have a value that cannot be read.

    Raises:
        ConfigurationError: The portfolio does not map the table.
        PartitionDroppedError: Retention has dropped the extract; only ``refresh_source`` asks for another.
        SourceNotReadyError: A file is not there yet.
        SourceUnreachableError: The source did not answer.
        SourceColumnsError: The delivered columns are not the contract's.
        SourceTypeError: A column has a type that may not carry its contract type.
        SourceFileError: A file cannot be read as declared.
        SourceQueryError: The SELECT does not run.
        ControlFileError: The control file in the inbox is no control file of that day.
        ControlTotalError: A file has other rows or sums than its control file declares.
        DeliveryConflictError: The inbox holds another delivery than the one picked up, or a copy of the day before; or
            a folder holds other files than were extracted.
    """
    day = Day.open(portfolio, business_date, run_ref=run_ref, settings=settings)
    select = _selects(day.folder).get(noun)
    if select is None:
        raise ConfigurationError(f"no SELECT for {noun}", f"one of {list(_selects(day.folder))}", portfolio)
    extracted = CONTRACTS[f"extract__{noun}"]
    key = day.key(extracted.table)
    there = day.lake.intact(key)
    delivery = delivery_for(day, there, refresh_source=refresh_source)
    is_current = there is not None and there.contract_version == extracted.version and is_of(delivery, there)
    if there is not None and is_current and not refresh_source:
        _refuse_others(day, select, there)
        note_written(there)
        return {**summary(there), "kept": True}
    if not refresh_source:
        day.lake.refuse_dropped(key)
    known_until = (now or datetime.now(UTC)).astimezone(UTC).isoformat()
    with _workshop(day) as shop:
        staged = _stage(day, noun, select, shop, delivery)
        unreadable = 0

        def keep_unreadable(written: Path) -> None:
            """The vault holds them before the extract does: one that is there is not made again."""
            nonlocal unreadable
            there_are = has_unreadable(shop.connection, written)
            rows = unreadable_rows(shop.connection, RAW[noun], staged) if there_are else ()
            unreadable = keep_rejected(day.settings, portfolio, business_date, key.table, rows)
            if there_are and staged.tolerated is not None:
                refuse_unreadable(shop.connection, written, staged.tolerated)
            failpoint("extract.before_write")

        manifest = day.lake.write(
            shop.connection,
            extracted,
            key,
            extract_select(RAW[noun], staged),
            {},
            inputs={"source": staged.source, **_delivered_as(day, staged, delivery)},
            known_until=known_until,
            run_ref=run_ref,
            on_part=keep_unreadable,
        )
    failpoint("extract.after_write")
    return {**summary(manifest), "kept": False, "unreadable": unreadable}


def _delivered_as(day: Day, staged: Staged, delivery: Delivery | None) -> dict[str, str]:
    """What a later look at the source is compared with: the delivery of an inbox, or the files of a folder."""
    if delivery:
        return {DELIVERY: delivery.id}
    is_of_files = isinstance(day.folder.portfolio.source, FileSource)
    return {FILES: json.dumps(dict(staged.files), sort_keys=True)} if is_of_files else {}


def _refuse_others(day: Day, select: str, there: Manifest) -> None:
    """The same files again, or none any more, change nothing; others under their names are a mistake or a correction.

    Raises:
        DeliveryConflictError: They are others.
    """
    source, known = day.folder.portfolio.source, there.inputs.get(FILES)
    if not isinstance(source, FileSource) or known is None:
        return
    others = others_than(source, select, _dates(day), json.loads(known))
    if others:
        found = f"other files than were extracted: {', '.join(others)}"
        raise DeliveryConflictError(
            found, "the same, or --refresh-source to take these", f"{day.name} {day.business_date}"
        )


def _selects(folder: PortfolioFolder) -> dict[str, str]:
    """SELECT by noun, in the contract's order."""
    mapped = {contract.noun: folder.selects.get(contract.table, "") for contract in LEDGER}
    return {noun: select for noun, select in {**mapped, CONTROL_TOTAL.noun: folder.control}.items() if select}


def _dates(day: Day) -> dict[str, date]:
    return {"business_date": day.business_date, "closing_date": day.closing_date}


@dataclass(frozen=True)
class _Workshop:
    """A small engine and a private folder."""

    connection: duckdb.DuckDBPyConnection
    folder: Path


@contextmanager
def _workshop(day: Day) -> Iterator[_Workshop]:
    """Open a workshop that is gone afterwards; its memory is the settings', and ours at most."""
    with connect(day.limited(MEMORY_LIMIT)) as connection, private_folder("arrears-extract-") as folder:
        yield _Workshop(connection, folder)


def _stage(day: Day, noun: str, select: str, shop: _Workshop, delivery: Delivery | None) -> Staged:
    where = f"{day.name}/{'control' if noun == CONTROL_TOTAL.noun else noun}.sql"
    rows = shop.folder / "rows.parquet"
    with _delivered(day, select, RAW[noun], where, shop, delivery=delivery) as delivered:
        check_delivery(RAW[noun], delivered.reader.schema, _over(where, delivered))
        schema = stage(delivered.reader, rows, f"extract__{noun}")
    source = json.dumps([select, sorted(delivered.files.items())])
    tolerated = frozenset(delivered.files) - delivered.refusing if delivered.refusing else None
    sha256 = hashlib.sha256(source.encode()).hexdigest()
    return Staged(rows, schema, delivered.malformed, sha256, tolerated, delivered.files)


def _over(where: str, delivered: Delivered) -> str:
    """A SELECT and the first file it runs over, where there is one: either may be at fault."""
    files = sorted(delivered.files)
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return f"{where} over {files[0]}{more}" if files else where


@contextmanager
def _delivered(  # noqa: PLR0913  a delivery is its parts
    day: Day, select: str, contract: Contract | None, where: str, shop: _Workshop, *, delivery: Delivery | None
) -> Iterator[Delivered]:
    source, dates = day.folder.portfolio.source, _dates(day)
    if isinstance(source, DatabaseSource):
        with rows_of_database(source.url, select, dates, contract, where) as delivered:
            yield delivered
    else:
        with rows_of_files(
            source, select, dates, where=where, connection=shop.connection, folder=shop.folder, delivery=delivery
        ) as rows:
            yield rows
