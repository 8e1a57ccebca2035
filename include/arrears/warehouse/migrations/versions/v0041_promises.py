"""Promises to pay, what became of them, and how many of those due were kept."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0041"
down_revision = "0011"

INSTANT = TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Make the two facts."""
    promise()
    promise_total()


def promise() -> None:
    """Open promises, and those that changed their state."""
    fact(
        "fct_promise_daily",
        "Promises to pay, and what became of them",
        "one row per promise and part, an amount promised by one day, where state_code = 'open' OR since_on = "
        "business_date",
        ("promise_id", "seq"),
        column("promise_id", sa.Text(), "Promise identifier of the source"),
        column("seq", sa.Integer(), "Number of the part, from 1"),
        column("source_code", sa.Text(), "Who says so: ledger, or a source of feedback"),
        column("borrower_id", sa.Text(), "party_id of the main borrower"),
        column("loan_ids", sa.Text(), "Loans whose payments keep it, comma separated"),
        column("agent_id", sa.Text(), "Agent to whom it was made; NULL: a machine, or not said", nullable=True),
        column("channel_code", sa.Text(), "Channel on which it was made; NULL: not said", nullable=True),
        column("contact_id", sa.Text(), "Contact in which it was made; NULL: not said", nullable=True),
        column("product_code", sa.Text(), "Product of the source"),
        column(
            "bucket",
            sa.Text(),
            "Contract bucket of its worst loan when it was first seen; NULL: not there",
            nullable=True,
        ),
        column("made_at", INSTANT, "When it was made"),
        column("made_on", sa.Date(), "Day it was made, in the portfolio's zone"),
        column("due_on", sa.Date(), "Last promised day"),
        column("deadline_on", sa.Date(), "Last day on which money still counts: due_on and grace"),
        column("cancelled_on", sa.Date(), "Day since which it no longer stands; NULL while it does", nullable=True),
        column("currency", sa.Text(), "ISO 4217 code"),
        column("amount_minor", sa.BigInteger(), "Promised in this part"),
        column("matched_minor", sa.BigInteger(), "Of it, paid in time, first in, first out"),
        column("state_code", sa.Text(), "What became of it by the close"),
        column("since_on", sa.Date(), "Business date since which the state holds"),
    )


def promise_total() -> None:
    """Kept rates."""
    fact(
        "fct_promise_total_daily",
        "Promises due, and kept",
        "one row per agent, channel, bucket, product and currency of promises whose last day has closed",
        ("agent_id", "channel_code", "bucket", "product_code", "currency"),
        column("agent_id", sa.Text(), "Agent to whom it was made; empty: a machine, or not said"),
        column("channel_code", sa.Text(), "Channel on which it was made; empty: not said"),
        column("bucket", sa.Text(), "Contract bucket of its worst loan when it was first seen; empty: not there"),
        column("product_code", sa.Text(), "Product of the source"),
        column("currency", sa.Text(), "ISO 4217 code"),
        column(
            "due_promises",
            sa.BigInteger(),
            "Promises whose last day closed since the day compared with; open, cancelled: not due",
        ),
        column("kept_promises", sa.BigInteger(), "Of them kept, but for the tolerance"),
        column("part_kept_promises", sa.BigInteger(), "Of them paid in part"),
        column("broken_promises", sa.BigInteger(), "Of them not paid at all"),
        column("due_minor", sa.BigInteger(), "Promised in them"),
        column("kept_minor", sa.BigInteger(), "Promised in the kept ones"),
        column("paid_minor", sa.BigInteger(), "The same, and what was paid in time of the part-kept ones"),
    )


def fact(name: str, meaning: str, grain: str, key: tuple[str, ...], *own: sa.Column[Any]) -> None:
    """One fact in both schemas, between the columns that every fact has."""
    columns = (
        column("portfolio", sa.Text(), "Portfolio folder name"),
        column("business_date", sa.Date(), "The day that is worked, in the portfolio's time zone"),
        *own,
        column("load_id", sa.Text(), "Making of the lake partition the row came from"),
    )
    op.create_table(
        name,
        *columns,
        sa.PrimaryKeyConstraint("portfolio", "business_date", *key, name=f"{name}_pkey"),
        schema="mart",
        comment=f"{meaning}. Grain: {grain}, by portfolio and business date.",
    )
    op.create_table(
        name,
        *(sa.Column(one.name, one.type, nullable=one.nullable, comment=one.comment) for one in columns),
        column("publication_id", sa.Text(), "Publication that staged the row"),
        schema="stg",
        prefixes=["UNLOGGED"],
        comment=f"Rows on their way to mart.{name}.",
    )


def column(name: str, type_: sa.types.TypeEngine[Any], meaning: str, *, nullable: bool = False) -> sa.Column[Any]:
    """A column with its meaning."""
    return sa.Column(name, type_, nullable=nullable, comment=meaning)
