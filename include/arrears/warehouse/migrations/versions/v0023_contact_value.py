"""The vault's numbers and addresses, read one by one at the moment of sending."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from arrears.warehouse.migrations.versions.v0002_operations import INSTANT, column

revision = "0023"
down_revision = "0032"


def upgrade() -> None:
    """Make it."""
    op.create_table(
        "contact_value",
        column("portfolio", sa.Text(), "Portfolio folder name", primary_key=True),
        column("contact_point_id", sa.Text(), "Contact point identifier of the source", primary_key=True),
        column("value", sa.Text(), "Number, address or token"),
        column("loaded_at", INSTANT, "When", server_default=sa.text("clock_timestamp()")),
        schema="vault",
        comment="Numbers and addresses by contact point. Restricted.",
    )
