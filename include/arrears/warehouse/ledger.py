"""What is published: reads the publish ledger, in which the newest row of a portfolio's date is the current one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from arrears.warehouse.connection import transaction
from arrears.warehouse.tables import PUBLISH_LEDGER

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from sqlalchemy import Connection

LEDGER = PUBLISH_LEDGER.c
PUBLISHED = select(
    LEDGER.publication_id, LEDGER.business_date, LEDGER.content_hash, LEDGER.released_contacts, LEDGER.published_at
)
CURRENT = (
    PUBLISHED
    # The newest publication of every date.
    .ext(distinct_on(LEDGER.portfolio, LEDGER.business_date)).order_by(
        LEDGER.portfolio, LEDGER.business_date, LEDGER.sequence.desc()
    )
)


@dataclass(frozen=True)
class Published:
    """One publication of a portfolio's business date.

    Attributes:
        publication_id: Which one.
        business_date: The day.
        content_hash: Over everything published.
        released_contacts: Contacts put in the outbox; None when its plan was not released.
        published_at: When.
    """

    publication_id: UUID
    business_date: date
    content_hash: str
    released_contacts: int | None
    published_at: datetime


def newest(connection: Connection, portfolio: str, business_date: date) -> Published | None:
    """The current publication of one date, as the open transaction sees it; None when it was never published."""
    day = CURRENT.where(LEDGER.portfolio == portfolio, LEDGER.business_date == business_date)
    row = connection.execute(day).one_or_none()
    return None if row is None else Published(**row._asdict())


def find(connection: Connection, publication_id: UUID) -> Published | None:
    """The publication of that id, or None when its transaction never took place."""
    row = connection.execute(PUBLISHED.where(LEDGER.publication_id == publication_id)).one_or_none()
    return None if row is None else Published(**row._asdict())


def current_publication(url: str, portfolio: str, business_date: date) -> Published | None:
    """The current publication of one date; None when it was never published.

    Raises:
        WarehouseUnreachableError: The server did not answer.
    """
    with transaction(url) as connection:
        return newest(connection, portfolio, business_date)


def published_hash(url: str, portfolio: str, business_date: date) -> str | None:
    """Content hash of what is published for the date, or None when nothing is.

    Raises:
        WarehouseUnreachableError: The server did not answer.
    """
    found = current_publication(url, portfolio, business_date)
    return None if found is None else found.content_hash


def published_days(url: str, portfolio: str) -> list[Published]:
    """Current publications of a portfolio, oldest date first.

    Raises:
        WarehouseUnreachableError: The server did not answer.
    """
    with transaction(url) as connection:
        return [Published(**row._asdict()) for row in connection.execute(CURRENT.where(LEDGER.portfolio == portfolio))]
