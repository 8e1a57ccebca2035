"""Which delivery a day is made of, where its source is an inbox; a day of another source has none.

Belongs here: one delivery for all tables of a day, and its way to the archive. Inboxes stand in ``arrears.sources``.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from arrears.errors import DeliveryConflictError
from arrears.source_terms import InboxSource
from arrears.sources.delivery import SHOWN
from arrears.sources.inbox import Inbox

if TYPE_CHECKING:
    from collections.abc import Mapping

    from arrears.jobs.day import Day
    from arrears.lake import Manifest
    from arrears.sources.delivery import Delivery

log = logging.getLogger(__name__)
DELIVERY = "delivery"  # name of the input of an extract that holds its delivery's id


def inbox_of(day: Day) -> Inbox | None:
    """The day's inbox; None when its source is another."""
    source = day.folder.portfolio.source
    return Inbox(source, day.closing_date) if isinstance(source, InboxSource) else None


def delivery_for(day: Day, there: Manifest | None, *, refresh_source: bool) -> Delivery | None:
    """The delivery that a table is to be extracted from.

    Args:
        day: The day.
        there: Manifest of the table's extract, if it has an intact one.
        refresh_source: Whether a new delivery may take the place of one that was picked up.

    Returns:
        None when the source is no inbox, or when the extract is all that is left of its delivery.

    Raises:
        SourceNotReadyError: There is no delivery.
        ControlFileError: The control file is no control file of that day.
        DeliveryConflictError: The inbox holds another delivery than the one picked up, or a copy of the day before.
    """
    inbox = inbox_of(day)
    known = there.inputs.get(DELIVERY) if there else None
    return inbox.wanted(known, refresh=refresh_source) if inbox else None


def is_of(delivery: Delivery | None, there: Manifest) -> bool:
    """Whether an extract was made from that delivery, if the day has one."""
    return delivery is None or there.inputs.get(DELIVERY) == delivery.id


def pick_up(day: Day, extracted: Mapping[str, Manifest]) -> list[str]:
    """Move the delivery of a validated day to the archive, and any that was dropped again.

    Args:
        day: The day.
        extracted: Manifests of every extract of the day.

    Returns:
        Names of the files that were moved; none when all was done before.

    Raises:
        DeliveryConflictError: The inbox holds another delivery than the one extracted.
        SourceNotReadyError: A file in the inbox was replaced since it was extracted.
        SourceUnreachableError: A file system did not answer.
    """
    inbox = inbox_of(day)
    if inbox is None:
        return []
    moved = [name for delivery in _deliveries(extracted) for name in inbox.archive(delivery)]
    again = inbox.tidy()
    if again:
        log.info("dropped again and moved away, for they were picked up before: %s", ", ".join(again))
    return [*moved, *again]


def check_one_delivery(extracted: Mapping[str, Manifest], where: str) -> None:
    """Refuse a day whose tables were extracted from different deliveries.

    Args:
        extracted: Manifests of the extracts by ledger table.
        where: For errors.

    Raises:
        DeliveryConflictError: Names the tables by delivery.
    """
    deliveries = _deliveries(extracted)
    if len(deliveries) > 1:
        found = "; ".join(f"{', '.join(tables)} of {one[:SHOWN]}" for one, tables in deliveries.items())
        raise DeliveryConflictError(f"a delivery replaced between two tables: {found}", "all tables of one", where)


def _deliveries(extracted: Mapping[str, Manifest]) -> dict[str, list[str]]:
    """Tables by the delivery they were extracted from."""
    found: dict[str, list[str]] = {}
    for table, manifest in sorted(extracted.items()):
        if DELIVERY in manifest.inputs:
            found.setdefault(manifest.inputs[DELIVERY], []).append(table)
    return found
