"""What the world answers: the append-only log of feedback."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "0040"
down_revision = "0030"

INSTANT = TIMESTAMP(timezone=True)
# Who has a reason to change what was reported (an erasure by order) disables the trigger, as the owner, and says so.
REFUSE_CHANGE = """
CREATE FUNCTION ops.refuse_feedback_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ops.% is appended only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$
"""
APPENDED_ONLY = """
CREATE TRIGGER appended_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ops.feedback_event
FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_feedback_change()
"""


def upgrade() -> None:
    """Make the log; the views that fold it are made anew with every upgrade."""
    op.create_table(
        "feedback_event",
        column("event_id", sa.Text(), "Hash of portfolio, source, kind, reference and revision", primary_key=True),
        sa.Column("sequence", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Order of arrival"),
        column("portfolio", sa.Text(), "Portfolio folder name"),
        column("source_code", sa.Text(), "Who reported it: a configured source"),
        column("kind_code", sa.Text(), "What it is: contact, promise, dispute, opt_out ..."),
        column("source_ref", sa.Text(), "The source's own identifier of what it reports"),
        column("revision", sa.Integer(), "From 1; the highest says what is true, whenever it arrives"),
        column("content_hash", sa.Text(), "Over all that is reported; the same again is no news"),
        column("person_id", sa.Text(), "Same human over portfolios", nullable=True),
        column("party_id", sa.Text(), "Party of the source", nullable=True),
        column("contact_point_id", sa.Text(), "Contact point, where it is about one", nullable=True),
        column("loan_ids", sa.ARRAY(sa.Text()), "Loans it is about; none: it is about the person"),
        column("author_id", sa.Text(), "Agent or supervisor who says so", nullable=True),
        column("occurred_at", INSTANT, "When it happened, by the source"),
        column("received_at", INSTANT, "When it was known here; a day knows what came before it"),
        column("detail", JSONB(), "What the kind says beside; codes, amounts, instants, no words"),
        sa.UniqueConstraint(
            "portfolio", "source_code", "kind_code", "source_ref", "revision", name="feedback_event_natural_key"
        ),
        schema="ops",
        comment="What was reported from outside, one row per report and revision; appended only, ids and codes only.",
    )
    op.create_index("feedback_event_received", "feedback_event", ["portfolio", "received_at"], schema="ops")
    op.execute(REFUSE_CHANGE)
    op.execute(APPENDED_ONLY)


def column(name: str, kind: Any, meaning: str, *, nullable: bool = False, **rest: Any) -> sa.Column[Any]:  # noqa: ANN401  SQLAlchemy's own arguments
    """A column that is required unless it says otherwise."""
    return sa.Column(name, kind, nullable=nullable, comment=meaning, **rest)
