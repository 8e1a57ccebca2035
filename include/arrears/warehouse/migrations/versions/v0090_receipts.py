"""Receipts: kept as they come, and matched to their message by our own reference too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from arrears.warehouse.migrations.versions.v0002_operations import INSTANT, column
from arrears.warehouse.migrations.versions.v0021_outbox import GUARD, MOVES

revision = "0090"
down_revision = "0050"

# A provider that said no and tells later that it has it is believed the second time: nobody is contacted again.
HAS_IT_AFTER_ALL = {"rejected_retryable": ("sent",), "rejected_final": ("sent",)}


def upgrade() -> None:
    """Widen the outbox, and make the log of receipts."""
    op.add_column(
        "notification", column("reference", sa.Text(), "Our name for the last attempt", nullable=True), schema="ops"
    )
    op.execute("UPDATE ops.notification SET reference = provider_reference WHERE provider_code = 'handover'")
    op.create_index(
        "notification_reference",
        "notification",
        ["reference"],
        postgresql_where=sa.text("reference IS NOT NULL"),
        schema="ops",
    )
    op.create_index(
        "notification_provider_reference",
        "notification",
        ["provider_reference"],
        postgresql_where=sa.text("provider_reference IS NOT NULL"),
        schema="ops",
    )
    moves = {old: MOVES.get(old, ()) + HAS_IT_AFTER_ALL.get(old, ()) for old in {**MOVES, **HAS_IT_AFTER_ALL}}
    listed = ", ".join(f"'{old} {new}'" for old, news in moves.items() for new in news)
    op.execute(GUARD.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION").format(moves=listed))
    op.create_table(
        "receipt",
        column("provider_code", sa.Text(), "Whose receipt", primary_key=True),
        column("delivery_id", sa.Text(), "The request or file it came in, by its bytes", primary_key=True),
        column("row_number", sa.Integer(), "Which of it, from 1", primary_key=True),
        column("provider_reference", sa.Text(), "What the provider calls the message", nullable=True),
        column("reference", sa.Text(), "What we call it", nullable=True),
        column("status_code", sa.Text(), "accepted, delivered, read, failed, bounced, invalid"),
        column("outcome_code", sa.Text(), "open: to be looked at; taken; known: no news; unmatched: of no message"),
        column("received_at", INSTANT, "When", server_default=sa.text("clock_timestamp()")),
        schema="ops",
        comment="What providers said of our messages, as it came; a message may become known after its receipt.",
    )
    op.create_index(
        "receipt_open",
        "receipt",
        ["received_at"],
        postgresql_where=sa.text("outcome_code IN ('open', 'unmatched')"),
        schema="ops",
    )
