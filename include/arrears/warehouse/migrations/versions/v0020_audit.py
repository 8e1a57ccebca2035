"""The audit trail: what people did by hand, appended only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from arrears.warehouse.migrations.versions.v0002_operations import INSTANT, column

revision = "0020"
down_revision = "0005"

REFUSE_CHANGE = """
CREATE FUNCTION ops.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% is appended only', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$
"""


def upgrade() -> None:
    """Make it, and the guard that every append-only table has."""
    op.execute(REFUSE_CHANGE)
    op.create_table(
        "audit_entry",
        column("entry_no", sa.BigInteger(), "Gap-free, from 1", primary_key=True, autoincrement=False),
        column("at", INSTANT, "When"),
        column("actor", sa.Text(), "Who did it"),
        column("action", sa.Text(), "What was done, in code words"),
        column("subject", sa.Text(), "To what: an identifier, never a name or an address"),
        column("reason", sa.Text(), "Why, in the actor's words"),
        column("before", JSONB(), "How it was; NULL when it was not there", nullable=True),
        column("after", JSONB(), "How it is; NULL when it is gone", nullable=True),
        column("previous_hash", sa.Text(), "entry_hash of the entry before; empty for the first"),
        column("entry_hash", sa.Text(), "SHA-256 over this entry and previous_hash"),
        schema="ops",
        comment="What people did by hand, each entry chained to the one before; appended only.",
    )
    append_only("ops.audit_entry")


def append_only(table: str) -> None:
    """Refuse every change of rows that are there, whoever asks."""
    name = table.rpartition(".")[2]
    for event, level in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER {name}_{level.lower()}_guard BEFORE {event} ON {table} "
            f"FOR EACH {level} EXECUTE FUNCTION ops.refuse_change()"
        )
