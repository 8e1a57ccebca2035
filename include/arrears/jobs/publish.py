"""The job ``publish``: stage the day's facts, audit them, and make them the published state in one transaction."""

from __future__ import annotations

import logging
import uuid
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from arrears.contracts import CONTRACTS
from arrears.errors import ArrearsError, PartitionStaleError
from arrears.failpoints import failpoint
from arrears.jobs.day import Day
from arrears.jobs.departure import departures_of
from arrears.jobs.freshness import content_hash_of, moved_inputs
from arrears.quality.staged import decide_on_staged
from arrears.warehouse.approval import newest_waiting
from arrears.warehouse.ledger import current_publication
from arrears.warehouse.partitions import ensure_partitions, vacuum
from arrears.warehouse.pseudonyms import name_lender
from arrears.warehouse.publication import Publication, only_publisher, publish_staged
from arrears.warehouse.staging import audit, clear, lake_figures, stage
from arrears.warehouse.tables import FACTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from arrears.jobs.day import Work
    from arrears.lake import Manifest
    from arrears.portfolio import Portfolio
    from arrears.settings import Settings
    from arrears.warehouse.staging import Figures

log = logging.getLogger(__name__)


def publish(  # noqa: PLR0913  a publication is its parts
    portfolio: str,
    business_date: date,
    *,
    is_backfill: bool,
    now: datetime,
    run_ref: str = "",
    settings: Settings | None = None,
) -> dict[str, Any]:
    """Publish the day's facts; does nothing when they already are what is published.

    Args:
        portfolio: Folder name.
        business_date: The day that is worked.
        is_backfill: Whether a backfill or restatement asks; what it plans is never sent.
        now: The instant that decides whether the day is the portfolio's current day; with a zone.
        run_ref: Written into the ledger, for people.
        settings: This deployment, unless a test brings its own.

    Returns:
        Whether anything was published and why, the content hash, rows in all and by fact, contacts released; and where
        contacts of the day are held, the newest question that nobody has answered, and why it is asked.

    Raises:
        PartitionMissingError: An earlier step has not run.
        PartitionStaleError: What a table was made from has changed since.
        PublishAuditError: What is staged is not what the lake holds.
        QualityGateError: A critical expectation on the staged rows failed.
        PublishLockedError: Another publication of the portfolio is at work.
        WarehouseUnreachableError: The server did not answer; nothing was published.
    """
    day = Day.open(portfolio, business_date, run_ref=run_ref, settings=settings)
    url = day.settings.warehouse
    with only_publisher(url, portfolio), day.work() as work:
        manifests = {contract.table: work.read(contract.table) for contract in FACTS}
        moved = moved_inputs(day)
        if moved:
            raise PartitionStaleError(
                "; ".join(moved), "tables made from what is there now", f"{portfolio} {business_date}"
            )
        publication = Publication(
            publication_id=uuid.uuid4(),
            portfolio=portfolio,
            business_date=business_date,
            replaces=current_publication(url, portfolio, business_date),
            content_hash=content_hash_of(manifests),
            manifests=manifests,
            known_until=_known_until(manifests),
            now=now,
            release_at=now if not is_backfill and is_current_day(day.folder.portfolio, business_date, now) else None,
            run_ref=run_ref,
        )
        if publication.release_at is not None and not publication.is_done:
            publication = replace(publication, departures=tuple(departures_of(work)))
        figures = {} if publication.is_done else _prepare(url, work, publication)
        name_lender(url, portfolio, day.folder.portfolio.lender or portfolio)
        day.lake.settle()  # what is published outlives a power cut with what it was made from
        released = None if publication.is_done else publish_staged(url, publication, figures)
        clear(url, portfolio, business_date)
        failpoint("publish.cleared")
        if publication.has_new_content:
            _tidy(url, business_date)
    question = newest_waiting(url, portfolio, business_date)
    return {
        "published": not publication.is_done,
        "reason": _reason(publication),
        "content_hash": publication.content_hash,
        "rows": sum(figure.rows for figure in figures.values()),
        "facts": {CONTRACTS[table].mart: figure.rows for table, figure in figures.items()},
        "released_contacts": released,
        "held_because": [reason["code"] for reason in question.reasons] if question else [],
        "approval_id": str(question.approval_id) if question else None,
    }


def _tidy(url: str, business_date: date) -> None:
    """Vacuum what was written; where that fails the day is published all the same, and autovacuum comes later."""
    try:
        vacuum(url, business_date)
    except ArrearsError as error:
        log.warning("published, but not vacuumed (%s): readers are slower until autovacuum has been there", error.code)


def is_current_day(portfolio: Portfolio, business_date: date, now: datetime) -> bool:
    """Whether it is that day in the portfolio's zone: only then may its planned contacts be sent."""
    return now.astimezone(portfolio.zone).date() == business_date


def _prepare(url: str, work: Work, publication: Publication) -> dict[str, Figures]:
    """Stage and audit new content; a publication that only releases contacts needs its figures alone."""
    if not publication.has_new_content:
        return {contract.table: lake_figures(work.connection, contract) for contract in FACTS}
    publication_id = str(publication.publication_id)
    ensure_partitions(url, publication.business_date)
    figures = stage(url, work.connection, publication.manifests, publication_id)
    failpoint("publish.staged")
    audit(url, figures, publication_id)
    rows = {table: figure.rows for table, figure in figures.items()}
    decide_on_staged(url, publication_id, publication.portfolio, rows)
    return figures


def _reason(publication: Publication) -> str:
    if publication.is_done:
        return "already published"
    return "new content" if publication.has_new_content else "contacts released"


def _known_until(manifests: Mapping[str, Manifest]) -> datetime | None:
    frozen = manifests["core__loan_delinquency_daily"].known_until
    return datetime.fromisoformat(frozen) if frozen else None
