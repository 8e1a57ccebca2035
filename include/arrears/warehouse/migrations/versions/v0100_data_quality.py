"""The fact of data quality: figures of each day's ledger tables beside those of the same weekdays before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0100"
down_revision = "0132"

NAME = "fct_data_quality_daily"


def upgrade() -> None:
    """Make it in both schemas."""
    columns = (
        sa.Column("portfolio", sa.Text(), nullable=False, comment="Portfolio folder name"),
        sa.Column(
            "business_date",
            sa.Date(),
            nullable=False,
            comment="The day that is worked, in the portfolio's time zone",
        ),
        sa.Column("table_name", sa.Text(), nullable=False, comment="Ledger table"),
        sa.Column("profile_code", sa.Text(), nullable=False, comment="Figure of the table's profile"),
        sa.Column("profile_value", sa.BigInteger(), comment="The figure"),
        sa.Column("median_value", sa.BigInteger(), comment="Its median over the last 8 same weekdays"),
        sa.Column("compared_days", sa.BigInteger(), nullable=False, comment="How many of those 8 are known"),
        sa.Column("verdict_code", sa.Text(), nullable=False, comment="What is made of the difference"),
        sa.Column("load_id", sa.Text(), nullable=False, comment="Making of the lake partition the row came from"),
    )
    op.create_table(
        NAME,
        *columns,
        sa.PrimaryKeyConstraint("portfolio", "business_date", "table_name", "profile_code", name=f"{NAME}_pkey"),
        schema="mart",
        comment="What each ledger table looked like, figure by figure, beside the same weekdays before. Grain: one row "
        "per ledger table and figure of its profile, by portfolio and business date.",
    )
    op.create_table(
        NAME,
        *(sa.Column(one.name, one.type, nullable=one.nullable, comment=one.comment) for one in columns),
        sa.Column("publication_id", sa.Text(), nullable=False, comment="Publication that staged the row"),
        schema="stg",
        prefixes=["UNLOGGED"],
        comment=f"Rows on their way to mart.{NAME}.",
    )
