"""Rows of the outbox, and what became of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from arrears.warehouse.connection import transaction
from arrears.warehouse.tables import NOTIFICATION
from sqlalchemy import insert, text

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY = date(2026, 3, 2)


def step(key: str, **given: Any) -> dict[str, Any]:
    """One planned row that is due now for an hour either way; a person of its own."""
    now = datetime.now(UTC)
    return {
        "step_key": key,
        "portfolio": "book",
        "case_id": f"case-{key}",
        "borrower_id": f"party-{key}",
        "person_id": f"person-{key}",
        "business_date": DAY,
        "step_id": "first",
        "channel_code": "sms",
        "contact_point_id": f"point-{key}",
        "template_code": "friendly_reminder",
        "language": "en",
        "not_before_at": now - timedelta(hours=1),
        "not_after_at": now + timedelta(hours=1),
        "state_code": "planned",
        "loan_ids": [f"loan-{key}"],
        "currency": "USD",
        **given,
    }


def put_steps(url: str, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows as a publication would."""
    with transaction(url) as connection:
        connection.execute(insert(NOTIFICATION), list(rows))


def states(url: str) -> dict[str, str]:
    """State by step key."""
    with transaction(url) as connection:
        found = connection.execute(text("SELECT step_key, state_code FROM ops.notification ORDER BY 1"))
        return {row.step_key: row.state_code for row in found}


def history(url: str, key: str) -> list[tuple[str, str, str]]:
    """State, reason and author of each event of a step, oldest first."""
    with transaction(url) as connection:
        events = (
            "SELECT state_code, reason_code, actor FROM ops.notification_event WHERE step_key = :k ORDER BY event_id"
        )
        found = connection.execute(text(events), {"k": key})
        return [tuple(row) for row in found]


def empty_outbox(url: str) -> None:
    """Forget all rows; their history stays, as it must."""
    with transaction(url) as connection:
        connection.execute(text("DELETE FROM ops.notification"))
