"""What the outbox has given out, of every portfolio, as rows that caps count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from sqlalchemy import func, select

from arrears.warehouse.connection import transaction
from arrears.warehouse.tables import NOTIFICATION

if TYPE_CHECKING:
    from datetime import date

# Anything else was never begun, or is known not to have reached anybody.
GIVEN_OUT = ("claimed", "sent", "unknown")
WITHDRAWN = "withdrawn"  # handed over, and taken back before anybody used it
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
