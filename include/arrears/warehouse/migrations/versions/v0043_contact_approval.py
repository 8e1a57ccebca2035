"""Plans that wait for a person."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "0043"
down_revision = "0042"

INSTANT = TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Make the table of questions."""
    op.create_table(
        "contact_approval",
        column("approval_id", sa.Uuid(), "The publication that asks", primary_key=True),
        column("portfolio", sa.Text(), "Portfolio folder name"),
        column("business_date", sa.Date(), "The day whose plan is held"),
        column("reasons", JSONB(), "What departs from its history: code, what, figure, usual"),
        column("held", sa.Integer(), "Contacts held"),
        column("state_code", sa.Text(), "asked, approved, refused or timed_out"),
        column("asked_at", INSTANT, "When the plan was published"),
        column("decided_by", sa.Text(), "Who decided; NULL while nobody has, or when time ran out", nullable=True),
        column("decided_at", INSTANT, "When", nullable=True),
        column("moved", sa.Integer(), "Contacts that the decision released, or let expire", nullable=True),
        schema="ops",
        comment="Plans that depart from their history, and what was decided of them.",
    )


def column(name: str, kind: Any, meaning: str, *, nullable: bool = False, **rest: Any) -> sa.Column[Any]:  # noqa: ANN401  SQLAlchemy's own arguments
    """A column that is required unless it says otherwise."""
    return sa.Column(name, kind, nullable=nullable, comment=meaning, **rest)
