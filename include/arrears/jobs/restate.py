"""Which dates must run again, in order: a stale or missing one, and every later one that was built on it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from arrears.errors import PartitionDroppedError
from arrears.jobs.day import Day
from arrears.jobs.freshness import published_dates, reasons_to_rerun
from arrears.rules.business_dates import ONE_DAY

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from arrears.settings import Settings


def dates_to_restate(portfolio: str, first: date, last: date, *, settings: Settings | None = None) -> list[date]:
    """Dates to run again, oldest first; running a date that turns out unchanged changes nothing.

    From the first stale or missing date on, every date of the span is given: each is made from the one before. The
    dates of a gap that the configuration allows, and a published date has bridged, are left out.

    Args:
        portfolio: Folder name.
        first: First business date looked at; earlier than the portfolio's first date means that one.
        last: Last business date looked at, itself included.
        settings: This deployment, unless a test brings its own.

    Raises:
        PortfolioUnknownError: There is no such portfolio.
        PartitionDroppedError: Retention has dropped one of the dates.
        WarehouseUnreachableError: The server did not answer.
    """
    day = Day.open(portfolio, first, settings=settings)
    config = day.folder.portfolio
    published = published_dates(day)
    span = config.business_dates.between(first, last)
    gaps = [gap for gap in config.allowed_gaps if gap in published]
    wanted = [one for one in span if one in published or not _in_gap(one, gaps, published)]
    for index, business_date in enumerate(wanted):
        if reasons_to_rerun(replace(day, business_date=business_date), published.get(business_date)):
            return _not_dropped(day, wanted[index:])
    return []


def _not_dropped(day: Day, wanted: list[date]) -> list[date]:
    dropped = set(wanted).intersection(day.lake.dropped_dates(day.name))
    if dropped:
        raise PartitionDroppedError(
            f"retention has dropped {len(dropped)} of these dates, {min(dropped)} to {max(dropped)}",
            f"--from {max(dropped) + 2 * ONE_DAY} or later: the first date is compared with the one before it",
            day.name,
        )
    return wanted


def _in_gap(business_date: date, gaps: list[date], published: Collection[date]) -> bool:
    """Whether everything from the date up to an allowed and published gap's end was never published."""
    return any(business_date < gap and not any(business_date <= there < gap for there in published) for gap in gaps)
