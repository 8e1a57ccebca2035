"""What a refused report was, so that it is settled when it comes again and is right."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0132"
down_revision = "0131"


def upgrade() -> None:
    """Add kind and reference; rows refused before have neither, and wait for a person."""
    for name, meaning in (
        ("kind_code", "What it reports; NULL: it does not say"),
        ("source_ref", "The source's own identifier of it; NULL: none that can be one"),
    ):
        op.add_column("feedback_rejected", sa.Column(name, sa.Text(), nullable=True, comment=meaning), schema="ops")
