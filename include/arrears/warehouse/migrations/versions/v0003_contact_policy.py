"""Whom a rejected row speaks of, and every contact decision with the packs it was made by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add what the contact policy decides by and what it decided."""
    quarantine_subject()
    contact_decision()


def quarantine_subject() -> None:
    """Loan and party of a rejected row."""
    for name, comment in (
        ("loan_id", "Accepted loan that a rejected row speaks of; contact about it stops"),
        ("party_id", "Accepted party that a rejected row speaks of; contact stops"),
    ):
        for schema in ("mart", "stg"):
            op.add_column("fct_quarantine", sa.Column(name, sa.Text(), comment=comment), schema=schema)


def contact_decision() -> None:
    """One row per contact point asked about, and the packs that answered."""
    grain = "one row per candidate (case, step, channel, point) and rule that fired; one with rule_id '' when allowed"
    op.create_table_comment(
        "fct_contact_decision",
        f"Every answer of the contact policy, denials too. Grain: {grain}, by portfolio and business date.",
        schema="mart",
    )
    columns = (
        (
            "point_rank",
            sa.Integer(),
            "0",
            "Order of the point among those the channel can use, from 1; 0 when there is none",
        ),
        ("packs", sa.Text(), "", "Packs asked, each with its version"),
    )
    for schema in ("mart", "stg"):
        op.alter_column(
            "fct_contact_decision", "is_allowed", comment="Whether this contact may be made today", schema=schema
        )
        for name, type_, earlier, comment in columns:
            column = sa.Column(name, type_, nullable=False, server_default=earlier, comment=comment)
            op.add_column("fct_contact_decision", column, schema=schema)
            op.alter_column("fct_contact_decision", name, server_default=None, schema=schema)
    op.drop_constraint("fct_contact_decision_pkey", "fct_contact_decision", schema="mart")
    op.create_primary_key(
        "fct_contact_decision_pkey",
        "fct_contact_decision",
        ["portfolio", "business_date", "case_id", "step_id", "channel_code", "point_rank", "rule_id"],
        schema="mart",
    )
