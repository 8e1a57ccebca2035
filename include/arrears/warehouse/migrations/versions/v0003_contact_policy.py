"""Whom a rejected row speaks of, and every contact decision with the packs it was made by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add what the contact policy decides by and what it decided."""
    quarantine_subject()


def quarantine_subject() -> None:
    """Loan and party of a rejected row."""
    for name, comment in (
        ("loan_id", "Accepted loan that a rejected row speaks of; contact about it stops"),
        ("party_id", "Accepted party that a rejected row speaks of; contact stops"),
    ):
        for schema in ("mart", "stg"):
            op.add_column("fct_quarantine", sa.Column(name, sa.Text(), comment=comment), schema=schema)
