"""Deliveries of reports, rows that were not taken in, and the words that people wrote."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "0042"
down_revision = "0041"

INSTANT = TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Make the tables of the intake."""
    delivery()
    rejected()
    words()


def delivery() -> None:
    """Every delivery, once."""
    op.create_table(
        "feedback_delivery",
        column("portfolio", sa.Text(), "Portfolio folder name", primary_key=True),
        column("source_code", sa.Text(), "Who delivered: a configured source", primary_key=True),
        column("delivery_id", sa.Text(), "Hash of a file's or request's bytes and signature", primary_key=True),
        column("way_code", sa.Text(), "file, database or webhook"),
        column("name", sa.Text(), "File name, SELECT, or the request's own identifier"),
        column("rows", sa.Integer(), "Rows delivered"),
        column("accepted", sa.Integer(), "Of them new, and kept"),
        column("repeated", sa.Integer(), "Of them known already, word for word"),
        column("rejected", sa.Integer(), "Of them in quarantine"),
        column("stopped", sa.Integer(), "Waiting contacts that ended because of it"),
        column("error_code", sa.Text(), "Why nothing of it could be read; NULL when it could", nullable=True),
        column("received_at", INSTANT, "When it was taken in"),
        schema="ops",
        comment="Every delivery of reports, once.",
    )
    op.create_index(
        "feedback_delivery_newest", "feedback_delivery", ["portfolio", "source_code", "received_at"], schema="ops"
    )


def rejected() -> None:
    """Rows in quarantine: where and why in ``ops``, what in ``vault``."""
    op.create_table(
        "feedback_rejected",
        *row_key(),
        column("column_name", sa.Text(), "Column to look at; empty: the row", primary_key=True),
        column("name", sa.Text(), "File name, SELECT, or the request's own identifier"),
        column("error_code", sa.Text(), "Error, with its runbook"),
        column("expected", sa.Text(), "What was expected; never what was found"),
        column("received_at", INSTANT, "When it was taken in"),
        column("settled_at", INSTANT, "When a later try took it in; NULL: it waits for somebody", nullable=True),
        schema="ops",
        comment="Reported rows that were not taken in, without their values.",
    )
    op.create_table(
        "feedback_rejected",
        *row_key(),
        column("delivered", JSONB(), "The row as delivered; may hold anything"),
        schema="vault",
        comment="Reported rows that were not taken in, with their values. Restricted.",
    )


def row_key() -> tuple[sa.Column[Any], ...]:
    """What names a row of a delivery."""
    return (
        column("portfolio", sa.Text(), "Portfolio folder name", primary_key=True),
        column("source_code", sa.Text(), "Who delivered", primary_key=True),
        column("delivery_id", sa.Text(), "Delivery", primary_key=True),
        column("row_number", sa.Integer(), "Line of a file, else ordinal", primary_key=True, autoincrement=False),
    )


def words() -> None:
    """What agents and supervisors wrote."""
    op.create_table(
        "feedback_note",
        column("event_id", sa.Text(), "Report in ops.feedback_event", primary_key=True),
        column("note", sa.Text(), "The words; may hold anything"),
        column("kept_at", INSTANT, "When they were kept", server_default=sa.text("now()")),
        schema="vault",
        comment="What agents and supervisors wrote. Restricted.",
    )


def column(name: str, kind: Any, meaning: str, *, nullable: bool = False, **rest: Any) -> sa.Column[Any]:  # noqa: ANN401  SQLAlchemy's own arguments
    """A column that is required unless it says otherwise."""
    return sa.Column(name, kind, nullable=nullable, comment=meaning, **rest)
