"""What the outbox has given out: of every portfolio as rows that caps count, of one as contacts that were made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from sqlalchemy import Text, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on

from arrears.warehouse.connection import transaction
from arrears.warehouse.outbox import TIME_PASSED, UNREACHED
from arrears.warehouse.tables import NOTIFICATION, NOTIFICATION_EVENT, PUBLISH_LEDGER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

# Anything else was never begun, or is known not to have reached anybody.
GIVEN_OUT = ("claimed", "sent", "unknown")
WITHDRAWN = "withdrawn"  # handed over, and taken back before anybody used it
HANDED_OVER = "handed_over"  # somebody else may make the contact, and reports when they did
TEXT, AT = pa.string(), pa.timestamp("us", tz="UTC")
GIVEN = pa.schema(
    [
        ("portfolio", TEXT),
        ("step_key", TEXT),
        ("person_id", TEXT),
        ("business_date", pa.date32()),
        ("channel_code", TEXT),
        ("not_before_at", AT),
        ("not_after_at", AT),
        ("state_code", TEXT),
    ]
)
ATTEMPTED = pa.schema(
    [
        ("contact_id", TEXT),
        ("party_id", TEXT),
        ("contact_point_id", TEXT),
        ("channel_code", TEXT),
        ("purpose_code", TEXT),
        ("started_at", AT),
        ("outcome_code", TEXT),
        ("not_before_at", AT),
        ("not_after_at", AT),
    ]
)


def given_out(url: str, first: date, last: date) -> pa.Table:
    """Contacts of the outbox that were, or may have been, made.

    Args:
        url: The warehouse.
        first: First business date they were planned for.
        last: Last one.

    Returns:
        One row per step in ``GIVEN``'s columns; person_id is the borrower's identifier where no person is known, and
        state_code says what became of it (handed_over, delivered ...) where anybody has said.

    Raises:
        WarehouseUnreachableError: The server did not answer.
    """
    step = NOTIFICATION.c
    person = func.coalesce(step.person_id, step.borrower_id).label("person_id")
    came_to = func.coalesce(step.delivery_code, step.state_code).label("state_code")
    special = {"person_id": person, "state_code": came_to}
    asked = select(*(special.get(name, step[name]) for name in GIVEN.names)).where(
        step.business_date.between(first, last), step.state_code.in_(GIVEN_OUT), came_to != WITHDRAWN
    )
    with transaction(url) as connection:
        rows = [dict(row) for row in connection.execute(asked).mappings()]
    return pa.Table.from_pylist(rows, GIVEN)


def was_released_before(url: str, portfolio: str, business_date: date) -> bool:
    """Whether the plan of any earlier date was released to the outbox.

    Raises:
        WarehouseUnreachableError: The server did not answer.
    """
    ledger = PUBLISH_LEDGER.c
    asked = select(ledger.publication_id).where(
        ledger.portfolio == portfolio, ledger.business_date < business_date, ledger.released_contacts.is_not(None)
    )
    with transaction(url) as connection:
        return connection.execute(asked.limit(1)).first() is not None


def unreached(url: str, step_keys: Sequence[str], known_until: datetime) -> list[str]:
    """Those of an earlier day's steps that surely reached nobody, as the log of states had it at an instant, sorted.

    The outbox never saw them, or their time passed before they were sent, or the provider refused them for good. What a
    person decided, what was suppressed, and what may have been sent are none of them.

    Args:
        url: The warehouse.
        step_keys: Steps of a day that is over.
        known_until: States written later are not looked at, so that a day made again sees the same.

    Raises:
        WarehouseUnreachableError: The server did not answer.
    """
    if not step_keys:
        return []
    event = NOTIFICATION_EVENT.c
    latest = (
        select(event.step_key, event.from_state_code, event.state_code, event.reason_code)
        .where(event.step_key == any_(literal(list(step_keys), ARRAY(Text))), event.at <= known_until)
        .ext(distinct_on(event.step_key))
        .order_by(event.step_key, event.event_id.desc())
    )
    with transaction(url) as connection:
        reached = {
            row.step_key
            for row in connection.execute(latest)
            if row.state_code not in UNREACHED
            or (row.state_code == "expired" and (row.reason_code not in TIME_PASSED or row.from_state_code == "held"))
        }
    return sorted(set(step_keys) - reached)


def attempted(url: str, portfolio: str, first: date, known_until: datetime) -> pa.Table:
    """Contacts that a portfolio's outbox made itself, or may have made, as the log of its states had it at an instant.

    Args:
        url: The warehouse.
        portfolio: Folder name.
        first: First business date they were planned for.
        known_until: States written later are not looked at, so that a day made again sees the same.

    Returns:
        One row per step in ``ATTEMPTED``'s columns: contact_id is the step's key, started_at the instant of the
        intent to send. What was handed over is none of ours: whoever made it reports it.

    Raises:
        WarehouseUnreachableError: The server did not answer.
    """
    step, event = NOTIFICATION.c, NOTIFICATION_EVENT.c
    recent = (step.portfolio == portfolio, step.business_date >= first)
    ours = (event.step_key.in_(select(step.step_key).where(*recent)), event.at <= known_until)
    begun = (
        select(event.step_key, func.max(event.at).label("started_at"))
        .where(*ours, event.state_code == "claimed")
        .group_by(event.step_key)
        .subquery()
    )
    latest = (
        select(event.step_key, event.state_code, event.delivery_code)
        .where(*ours)
        .ext(distinct_on(event.step_key))
        .order_by(event.step_key, event.event_id.desc())
        .subquery()
    )
    came_to = func.coalesce(latest.c.delivery_code, latest.c.state_code).label("outcome_code")
    special = {
        "contact_id": step.step_key.label("contact_id"),
        "party_id": step.borrower_id.label("party_id"),
        "started_at": begun.c.started_at,
        "outcome_code": came_to,
    }
    asked = (
        select(*(special[name] if name in special else step[name] for name in ATTEMPTED.names))
        .join(begun, begun.c.step_key == step.step_key)
        .join(latest, latest.c.step_key == step.step_key)
        .where(*recent, latest.c.state_code.in_(GIVEN_OUT), came_to.not_in((WITHDRAWN, HANDED_OVER)))
        .order_by(step.step_key)
    )
    with transaction(url) as connection:
        rows = [dict(row) for row in connection.execute(asked).mappings()]
    return pa.Table.from_pylist(rows, ATTEMPTED)
