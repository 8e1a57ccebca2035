"""What feedback was known when a day was cut, out of the views ``ops.feedback_*``.

Belongs here: reading. A day that is made again sees what it saw before: the log is appended only, and reading waits
until every report that could still appear behind the cut is committed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from sqlalchemy import func, select, text

from arrears.warehouse.connection import transaction

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

TEXT, AT = pa.string(), pa.timestamp("us", tz="UTC")
FLAG = pa.schema(
    [
        ("event_id", TEXT),
        ("flag_code", TEXT),
        ("party_id", TEXT),
        ("loan_id", TEXT),
        ("contact_point_id", TEXT),
        ("starts_at", AT),
        ("ends_at", AT),
    ]
)
CONTACT = pa.schema(
    [
        ("source_code", TEXT),
        ("source_ref", TEXT),
        ("party_id", TEXT),
        ("contact_point_id", TEXT),
        ("channel_code", TEXT),
        ("direction_code", TEXT),
        ("purpose_code", TEXT),
        ("started_at", AT),
        ("outcome_code", TEXT),
    ]
)
PAYMENT = pa.schema(
    [
        ("event_id", TEXT),
        ("loan_id", TEXT),
        ("amount_minor", pa.int64()),
        ("initiated_at", AT),
        ("valid_until_at", AT),
        ("state_code", TEXT),
    ]
)
PROMISE = pa.schema(
    [
        ("promise_id", TEXT),
        ("seq", pa.int32()),
        ("source_code", TEXT),
        ("loan_ids", pa.list_(TEXT)),
        ("agent_id", TEXT),
        ("channel_code", TEXT),
        ("contact_id", TEXT),
        ("made_at", AT),
        ("due_on", pa.date32()),
        ("currency", TEXT),
        ("amount_minor", pa.int64()),
        ("cancelled_at", AT),
    ]
)
REASSIGN = pa.schema(
    [
        ("event_id", TEXT),
        ("party_id", TEXT),
        ("loan_id", TEXT),
        ("to_agent_id", TEXT),
        ("made_at", AT),
        ("starts_at", AT),
        ("ends_at", AT),
    ]
)
SHAPE = {
    "feedback_flag": FLAG,
    "feedback_contact": CONTACT,
    "feedback_payment": PAYMENT,
    "feedback_promise": PROMISE,
    "feedback_reassign": REASSIGN,
}


def known_feedback(url: str, portfolio: str, view: str, known_until: str) -> pa.Table:
    """Rows of one of the views as they were known at an instant.

    Args:
        url: The warehouse.
        portfolio: Folder name.
        view: One of ``SHAPE``.
        known_until: ISO instant at which the day was cut.

    Raises:
        WarehouseUnreachableError: The server did not answer.
        WarehouseSchemaError: The warehouse was never upgraded.
    """
    shape = SHAPE[view]
    with transaction(url) as connection:
        wait_for_reports(connection, portfolio)
        connection.execute(text("SELECT set_config('arrears.known_until', :at, TRUE)"), {"at": known_until})
        columns = ", ".join(shape.names)
        rows = connection.execute(
            text(f"SELECT {columns} FROM ops.{view} WHERE portfolio = :portfolio ORDER BY {columns}"),
            {"portfolio": portfolio},
        ).mappings()
        return pa.Table.from_pylist([dict(row) for row in rows], schema=shape)


def wait_for_reports(connection: Connection, portfolio: str) -> None:
    """Return when no report of the portfolio is being written that could be older than now; new ones wait for us."""
    connection.execute(select(func.pg_advisory_xact_lock(feedback_lock(portfolio))))


def feedback_lock(portfolio: str) -> ColumnElement[int]:
    """SQL expression of the advisory lock that writers of reports share, and that a reader of the log has alone."""
    return func.hashtextextended(f"arrears.feedback:{portfolio}", 0)
