"""Who belongs to which group, for the parity report alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0131"
down_revision = "0130"


def upgrade() -> None:
    """Make the vault's table; the views and the role are made anew with every upgrade."""
    op.create_table(
        "group_member",
        sa.Column("portfolio", sa.Text(), primary_key=True, comment="Portfolio folder name"),
        sa.Column("party_id", sa.Text(), primary_key=True, comment="Party of the source"),
        sa.Column(
            "attribute_code",
            sa.Text(),
            primary_key=True,
            comment="By what groups are told apart: age_band, sex, region ...",
        ),
        sa.Column("group_code", sa.Text(), nullable=False, comment="The party's group"),
        sa.Column(
            "loaded_at",
            TIMESTAMP(timezone=True),
            nullable=False,
            server_default=sa.text("now()"),
            comment="When this was loaded",
        ),
        schema="vault",
        comment="Who belongs to which group, for the parity report and nothing else. Restricted.",
    )
