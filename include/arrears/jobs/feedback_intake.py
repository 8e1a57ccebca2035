"""The job ``feedback_intake``: what files and databases report to a portfolio, taken in; each delivery stands alone."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select

from arrears.errors import FeedbackUnreadableError, SourceQueryError, SourceUnreachableError
from arrears.failpoints import failpoint
from arrears.feedback.database import read_database
from arrears.feedback.files import content_of, delivery_id, put_away, read_file, waiting
from arrears.feedback.intake import take_in
from arrears.feedback.sources import DatabaseOfReports, InboxOfReports, folder_of, load_sources
from arrears.lake import Lake
from arrears.settings import load_settings
from arrears.warehouse.connection import transaction
from arrears.warehouse.feedback_tables import FEEDBACK_DELIVERY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from arrears.feedback.intake import Taken
    from arrears.settings import Settings

log = logging.getLogger(__name__)
FIRST = datetime(2000, 1, 1, tzinfo=UTC)


def feedback_intake(portfolio: str, *, settings: Settings | None = None) -> dict[str, Any]:
    """Take in everything that waits for a portfolio.

    A source that fails keeps none of the others waiting; it is named in the result and raised at the end.

    Args:
        portfolio: Folder name.
        settings: This deployment, unless a test brings its own.

    Returns:
        Deliveries, and rows accepted, repeated and rejected; contacts stopped; files refused as a whole.

    Raises:
        ConfigurationError: The portfolio's ``feedback/sources.yaml`` is wrong.
        WarehouseUnreachableError: The warehouse did not answer.
        SourceUnreachableError: A database did not answer; all other sources were taken in.
        SourceQueryError: A SELECT does not run; all other sources were taken in.
    """
    settings = settings or load_settings()
    total = dict.fromkeys(("deliveries", "accepted", "repeated", "rejected", "stopped", "refused_files"), 0)
    failures: list[SourceUnreachableError | SourceQueryError] = []
    lake = Lake(settings.lake_url)
    for code, source in load_sources(portfolio, settings).items():
        if isinstance(source, InboxOfReports):
            for taken in _files(settings, lake, portfolio, code, source):
                _count(total, taken)
        elif isinstance(source, DatabaseOfReports):
            try:
                _count(total, _database(settings, lake, portfolio, code, source))
            except (SourceUnreachableError, SourceQueryError) as error:
                failures.append(error)
    if failures:
        raise failures[0]
    return total


def _count(total: dict[str, int], taken: Taken | None) -> None:
    if taken is None:
        total["refused_files"] += 1
        return
    total["deliveries"] += not taken.is_known
    total["accepted"] += taken.accepted
    total["repeated"] += taken.repeated
    total["rejected"] += len({one.row.number for one in taken.refusals})
    total["stopped"] += taken.stopped


def _files(settings: Settings, lake: Lake, portfolio: str, code: str, source: InboxOfReports) -> Iterator[Taken | None]:
    """Each file on its own: taken in, then moved; one that was moved too late is known by its bytes."""
    for path in waiting(source):
        try:
            delivery = read_file(path, portfolio, code)
        except FeedbackUnreadableError as error:
            log.warning("%s", error)
            _refuse(settings, portfolio, code, path, source)
            yield None
            continue
        taken = take_in(settings, lake, delivery)
        for one in taken.refusals:
            log.warning("%s %s line %d column %s: %s", one.code, path.name, one.row.number, one.column, one.expected)
        put_away(path, source, delivery.delivery_id)
        failpoint("feedback.after_archive")
        yield taken


def _refuse(settings: Settings, portfolio: str, code: str, path: Path, source: InboxOfReports) -> None:
    """Note a file of which nothing can be read, and put it aside."""
    try:
        name = delivery_id(content_of(path), path.name)
    except FeedbackUnreadableError:
        name = delivery_id(str(path.stat().st_size).encode(), path.name)
    with transaction(settings.warehouse) as connection:
        known = select(FEEDBACK_DELIVERY.c.delivery_id).where(
            FEEDBACK_DELIVERY.c.portfolio == portfolio,
            FEEDBACK_DELIVERY.c.source_code == code,
            FEEDBACK_DELIVERY.c.delivery_id == name,
        )
        if connection.execute(known).one_or_none() is None:
            connection.execute(
                insert(FEEDBACK_DELIVERY).values(
                    portfolio=portfolio,
                    source_code=code,
                    delivery_id=name,
                    way_code="file",
                    name=path.name,
                    rows=0,
                    accepted=0,
                    repeated=0,
                    rejected=0,
                    stopped=0,
                    error_code=FeedbackUnreadableError.code,
                    received_at=func.clock_timestamp(),
                )
            )
    put_away(path, source, name, is_refused=True)


def _database(settings: Settings, lake: Lake, portfolio: str, code: str, source: DatabaseOfReports) -> Taken:
    newest = select(func.max(FEEDBACK_DELIVERY.c.received_at)).where(
        FEEDBACK_DELIVERY.c.portfolio == portfolio, FEEDBACK_DELIVERY.c.source_code == code
    )
    with transaction(settings.warehouse) as connection:
        last = connection.execute(newest).scalar_one()
    since = last - timedelta(hours=source.overlap_hours) if last else FIRST
    text = (folder_of(portfolio, settings) / source.select).read_text(encoding="utf-8")
    return take_in(settings, lake, read_database(source, text, portfolio, code, since))
