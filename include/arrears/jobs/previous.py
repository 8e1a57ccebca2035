"""Which earlier day a business date is compared with, and the refusal to go on before that day stands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from arrears.errors import ConfigurationError, PredecessorMissingError
from arrears.jobs.freshness import never_published, published_dates, reasons_to_rerun

if TYPE_CHECKING:
    from datetime import date

    from arrears.jobs.day import Day, Work

OF_CONFIGURATION = "config of "  # how freshness begins a sentence about a changed portfolio folder


def previous_date(day: Day) -> date | None:
    """The published business date that the day is compared with.

    The business date before must be published and not stale: the day before, or, before ``daily_from``, the month end
    before. A date that ``allowed_gaps`` names is compared with the last earlier date that is published. A changed
    configuration alone does not make the date before stale: it was made with the configuration of its time, and
    tomorrow must not wait until all of history is restated. Nor does a published table that is new since then.

    Args:
        day: The day that is worked.

    Returns:
        The earlier date; None on the portfolio's first business date.

    Raises:
        ConfigurationError: The day is no business date of the portfolio.
        PredecessorMissingError: The earlier date is not published, or is stale; the message names what moved.
        WarehouseUnreachableError: The server did not answer.
    """
    config = day.folder.portfolio
    if day.business_date not in config.business_dates:
        raise ConfigurationError(
            f"business date {day.business_date}",
            f"{config.first_business_date} or later, before daily_from the first of a month",
            f"{day.name}/portfolio.yaml",
        )
    expected = config.business_dates.before(day.business_date)
    if expected is None:
        return None
    published = published_dates(day)
    if day.business_date in config.allowed_gaps:
        expected = max((one for one in published if one < day.business_date), default=expected)
    if expected not in published:
        raise PredecessorMissingError(
            f"{expected} is not published",
            f"every day in its order, or {day.business_date} under allowed_gaps",
            f"{day.name} {day.business_date}",
        )
    before = replace(day, business_date=expected)
    reasons = reasons_to_rerun(before, published[expected])
    forgiven = never_published(before, published[expected])
    moved = [reason for reason in reasons if not reason.startswith(OF_CONFIGURATION) and reason not in forgiven]
    if moved:
        raise PredecessorMissingError(
            f"{expected} is stale: {'; '.join(moved)}",
            f"arrears restate --portfolio {day.name} --from {expected}",
            f"{day.name} {day.business_date}",
        )
    return expected


def read_previous(work: Work, table: str, compared_with: date | None, *, view: str) -> None:
    """Make ``table`` of the day compared with readable as ``view``; empty on the first day, or where that has none.

    A table that the day compared with never had is one that this version, or this ledger, has since added.

    Raises:
        PartitionDroppedError: Retention has dropped it.
    """
    if compared_with is None or work.day.lake.known(work.day.key(table, compared_with)) is None:
        work.empty(table, view=view)
    else:
        work.read(table, compared_with, view=view)
