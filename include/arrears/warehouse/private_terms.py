"""What has had its time in the vault, beside rejected ledger rows: addresses that ended, words, reports, tokens.

Belongs here: which rows go. The terms are settings of the deployment; a party under a legal hold keeps its rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, literal, select

from arrears.warehouse.feedback_tables import (
    FEEDBACK_DELIVERY,
    FEEDBACK_EVENT,
    FEEDBACK_NOTE,
    FEEDBACK_REJECTED_VALUES,
)
from arrears.warehouse.tables import CONTACT_VALUE, LEGAL_HOLD
from arrears.warehouse.worklist import DIAL_TOKEN

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Table

VALUE, NOTE, HOLD, TOKEN = CONTACT_VALUE.c, FEEDBACK_NOTE.c, LEGAL_HOLD.c, DIAL_TOKEN.c
REPORT, DELIVERY = FEEDBACK_REJECTED_VALUES.c, FEEDBACK_DELIVERY.c


def drop_private(connection: Connection, portfolio: str, before: datetime, *, dry_run: bool) -> int:
    """Drop a portfolio's private rows that ended before an instant, or count them.

    Args:
        connection: With the caller's transaction.
        portfolio: Folder name.
        before: Addresses that were current then or later, words kept then or later, and the like, stay.
        dry_run: Count only.

    Returns:
        Rows that go, or went.
    """
    held = select(literal("party:") + HOLD.party_id).where(HOLD.portfolio == portfolio, HOLD.ended_at.is_(None))
    events = select(FEEDBACK_EVENT.c.event_id).where(FEEDBACK_EVENT.c.portfolio == portfolio)
    deliveries = select(DELIVERY.delivery_id).where(DELIVERY.portfolio == portfolio, DELIVERY.received_at < before)
    going: list[tuple[Table, list[ColumnElement[bool]]]] = [
        (
            CONTACT_VALUE,
            [VALUE.portfolio == portfolio, VALUE.valid_to_at < before, VALUE.subject.not_in(held)],
        ),
        (FEEDBACK_NOTE, [NOTE.event_id.in_(events), NOTE.kept_at < before, NOTE.subject.not_in(held)]),
        (FEEDBACK_REJECTED_VALUES, [REPORT.portfolio == portfolio, REPORT.delivery_id.in_(deliveries)]),
        (DIAL_TOKEN, [TOKEN.portfolio == portfolio, TOKEN.expires_at < before]),
    ]
    rows = 0
    for table, where in going:
        if dry_run:
            rows += connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one()
        else:
            rows += connection.execute(delete(table).where(*where)).rowcount
    return rows
