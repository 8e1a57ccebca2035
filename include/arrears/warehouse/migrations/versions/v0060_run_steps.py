"""Rows in and out of every step of a run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0060"
down_revision = "0040"


def upgrade() -> None:
    """Make ``ops.run_step``."""
    op.create_table(
        "run_step",
        sa.Column("portfolio", sa.Text(), nullable=False, comment="Portfolio folder name"),
        sa.Column("run_ref", sa.Text(), nullable=False, comment="The run"),
        sa.Column("task", sa.Text(), nullable=False, comment="Task of the run"),
        sa.Column("table_name", sa.Text(), nullable=False, comment="Table of the lake, or fact of the warehouse"),
        sa.Column("direction_code", sa.Text(), nullable=False, comment="in: read by the task; out: written by it"),
        sa.Column("business_date", sa.Date(), nullable=False, comment="The day that is worked"),
        sa.Column("rows", sa.BigInteger(), nullable=False, comment="Rows; so far, while the task is at work on them"),
        sa.Column("rejected", sa.BigInteger(), comment="Rows set aside by validation; NULL: it is no validation"),
        sa.Column("is_done", sa.Boolean(), nullable=False, comment="Whether the task has ended with them"),
        sa.Column("content_hash", sa.Text(), comment="Of the lake partition; NULL until it is done"),
        sa.Column("seconds", sa.BigInteger(), comment="What the whole task took; NULL until it is done"),
        sa.Column(
            "at",
            TIMESTAMP(timezone=True),
            nullable=False,
            server_default=sa.text("clock_timestamp()"),
            comment="When it was written",
        ),
        sa.PrimaryKeyConstraint("portfolio", "run_ref", "task", "table_name", "direction_code", name="run_step_pkey"),
        schema="ops",
        comment="Rows in and out of every step of a run, as its last try told; also how far a long step is.",
    )
    op.create_index("run_step_day", "run_step", ["portfolio", "business_date"], schema="ops")
