"""What has become known of people since a day was cut, as the warehouse holds it at this instant.

Belongs here: reading, for the moment of sending: what the outbox gave out, in every portfolio, and what was reported
back. What a day knew when it was cut stands in ``given_out``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, column, func, or_, select, table

from arrears.warehouse.feedback_tables import FEEDBACK_EVENT
from arrears.warehouse.given_out import GIVEN_OUT, WITHDRAWN
from arrears.warehouse.tables import NOTIFICATION

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date, datetime

    from sqlalchemy import ColumnElement, Connection, TableClause

Row = dict[str, Any]
STEP = NOTIFICATION.c
SUBJECT = ("portfolio", "person_id", "party_id", "contact_point_id")


def _view(name: str, *columns: str) -> TableClause:
    return table(name, *map(column, (*SUBJECT, *columns)), schema="ops")


FLAG = _view("feedback_flag", "loan_id", "flag_code", "starts_at", "ends_at")
CONTACT = _view(
    "feedback_contact",
    "channel_code",
    "direction_code",
    "purpose_code",
    "outcome_code",
    "loan_ids",
    "started_at",
    "received_at",
)


def given_out_to(connection: Connection, person_key: str, since: date) -> list[Row]:
    """Rows of the outbox that reached the person, or may have, or are on their way, whichever portfolio they are of.

    Args:
        connection: Sees what is committed, and what its own transaction has written.
        person_key: As the outbox names the person.
        since: First business date.
    """
    came_to = func.coalesce(STEP.delivery_code, STEP.state_code).label("outcome_code")
    columns = ("step_key", "portfolio", "channel_code", "purpose_code", "contact_point_id", "loan_ids")
    asked = select(*(STEP[name] for name in columns), STEP.not_before_at, STEP.not_after_at, came_to).where(
        STEP.person_key == person_key,
        STEP.business_date >= since,
        STEP.state_code.in_(GIVEN_OUT),
        came_to != WITHDRAWN,
    )
    return [dict(row) for row in connection.execute(asked).mappings()]


def feedback_mark(connection: Connection, since: datetime) -> tuple[int, int]:
    """Something that differs when a report has arrived since: reports received after ``since``, and the newest one.

    Reports of transactions side by side may become visible out of their order; their number shows those too.
    """
    event = FEEDBACK_EVENT.c
    asked = select(func.count(), func.coalesce(func.max(event.sequence), 0)).where(event.received_at >= since)
    number, newest = connection.execute(asked).one()
    return int(number), int(newest)


def reported_flags(connection: Connection, portfolio: str, about: Mapping[str, Collection[str]]) -> list[Row]:
    """Flags that reports have raised about these people, in any portfolio, or these parties, loans and points of one.

    Args:
        connection: Without ``arrears.known_until``: it sees what stands now.
        portfolio: Folder name.
        about: person_id, party_id, loan_id, contact_point_id.
    """
    names = ("person_id", "party_id", "loan_id", "contact_point_id")
    return _reported(connection, FLAG, portfolio, about, names)


def reported_contacts(connection: Connection, portfolio: str, about: Mapping[str, Collection[str]]) -> list[Row]:
    """Contacts that reports speak of; as ``reported_flags``."""
    return _reported(connection, CONTACT, portfolio, about, ("person_id", "party_id"))


def _reported(
    connection: Connection,
    view: TableClause,
    portfolio: str,
    about: Mapping[str, Collection[str]],
    names: tuple[str, ...],
) -> list[Row]:
    def of(name: str) -> ColumnElement[bool]:
        found = view.c[name].in_(about[name])
        return found if name == "person_id" else and_(view.c.portfolio == portfolio, found)

    return [dict(row) for row in connection.execute(select(view).where(or_(*map(of, names)))).mappings()]
