"""The tables that publishing, runs and contacts write for themselves, and the vault of rejected rows."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "0002"
down_revision = "0001"

INSTANT = TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Make ``ops`` (its schema is there: Alembic's own table lives in it) and ``vault``."""
    op.execute("CREATE SCHEMA vault")
    publish_ledger()
    data_freshness()
    run_ledger()
    notification()
    rejected_row()


def publish_ledger() -> None:
    """Which publications there were."""
    op.create_table(
        "publish_ledger",
        column("publication_id", sa.Uuid(), "Chosen before the transaction, to find it again", primary_key=True),
        sa.Column(
            "sequence",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Order; the newest is current",
        ),
        column("portfolio", sa.Text(), "Portfolio folder name"),
        column("business_date", sa.Date(), "The day that is worked"),
        column("content_hash", sa.Text(), "Over the content hashes of every published lake table"),
        column("contract_versions", JSONB(), "Contract version by fact"),
        column("control_totals", JSONB(), "Rows and sums by fact, as audited in staging"),
        column("inputs", JSONB(), "Content hash by published lake table"),
        column("known_until", INSTANT, "Instant up to which feedback was known", nullable=True),
        column("released_contacts", sa.Integer(), "Put in the outbox; NULL: may not be sent", nullable=True),
        column("run_ref", sa.Text(), "The run, for people"),
        column("published_at", INSTANT, "When", server_default=sa.text("now()")),
        schema="ops",
        comment="Every publication of a portfolio's business date; a date may return to an earlier content.",
    )
    op.create_index(
        "publish_ledger_newest",
        "publish_ledger",
        ["portfolio", "business_date", "sequence"],
        unique=True,
        schema="ops",
    )


def data_freshness() -> None:
    """What is published now."""
    op.create_table(
        "data_freshness",
        column("dataset", sa.Text(), "Fact table", primary_key=True),
        column("portfolio", sa.Text(), "Portfolio folder name", primary_key=True),
        column("business_date", sa.Date(), "The day that is worked", primary_key=True),
        column("status_code", sa.Text(), "published; restated when it replaced another content"),
        column("published_at", INSTANT, "When this content was published"),
        column("rows", sa.BigInteger(), "Rows published"),
        column("load_id", sa.Text(), "Making of the lake partition"),
        column("content_hash", sa.Text(), "Content hash of the lake partition"),
        column("contract_version", sa.Integer(), "Raised when a column changes meaning"),
        schema="ops",
        comment="What is published: one row per fact, portfolio and business date.",
    )


def run_ledger() -> None:
    """What runs said of themselves."""
    op.create_table(
        "run_ledger",
        sa.Column("entry_id", sa.BigInteger(), sa.Identity(always=True), primary_key=True, comment="Order of entries"),
        column("portfolio", sa.Text(), "Portfolio folder name"),
        column("business_date", sa.Date(), "The day that is worked; NULL when the run had none", nullable=True),
        column("run_ref", sa.Text(), "The run"),
        column("task", sa.Text(), "Task of the run; empty for the run itself"),
        column("state_code", sa.Text(), "started, finished or failed"),
        column("error_code", sa.Text(), "Code of the failure", nullable=True),
        column("message", sa.Text(), "What happened, without row values", nullable=True),
        column("runbook", sa.Text(), "Page that says what to do", nullable=True),
        column("at", INSTANT, "When it was written", server_default=sa.text("clock_timestamp()")),
        schema="ops",
        comment="What runs and tasks said of themselves, appended only; started and never finished means killed.",
    )
    op.create_index("run_ledger_day", "run_ledger", ["portfolio", "business_date", "entry_id"], schema="ops")


def notification() -> None:
    """The outbox."""
    op.create_table(
        "notification",
        column("step_key", sa.Text(), "Hash of person, case, step, occurrence: one contact ever", primary_key=True),
        column("portfolio", sa.Text(), "Portfolio folder name"),
        column("case_id", sa.Text(), "Case"),
        column("borrower_id", sa.Text(), "party_id of the main borrower"),
        column("person_id", sa.Text(), "Same human over portfolios; NULL when the source does not say", nullable=True),
        column("business_date", sa.Date(), "The day it was planned for"),
        column("step_id", sa.Text(), "Stable id of the strategy's step"),
        column("channel_code", sa.Text(), "Channel planned"),
        column("contact_point_id", sa.Text(), "Point planned; its value stays in the vault"),
        column("template_code", sa.Text(), "Template of the step"),
        column("language", sa.Text(), "BCP 47 language"),
        column("not_before_at", INSTANT, "Earliest lawful instant"),
        column("not_after_at", INSTANT, "First instant too late"),
        column("state_code", sa.Text(), "planned: may be sent inside its window"),
        column("created_at", INSTANT, "When it was planned", server_default=sa.text("now()")),
        schema="ops",
        comment="Outbox: one row per step, written once by the publication that releases its plan.",
    )
    op.create_index("notification_day", "notification", ["portfolio", "business_date"], schema="ops")


def rejected_row() -> None:
    """Rows that were not good enough, as they came."""
    op.create_table(
        "rejected_row",
        column("portfolio", sa.Text(), "Portfolio folder name", primary_key=True),
        column("business_date", sa.Date(), "The day that is worked", primary_key=True),
        column("table_name", sa.Text(), "Ledger table", primary_key=True),
        column("row_number", sa.BigInteger(), "Ordinal in the extract, from 1", primary_key=True, autoincrement=False),
        column("rule_id", sa.Text(), "Rule it offends", primary_key=True),
        column("source_file", sa.Text(), "File or SELECT", nullable=True),
        column("source_line", sa.BigInteger(), "Line in the file, or ordinal in the SELECT's result", nullable=True),
        column("delivered", JSONB(), "The row as delivered; may hold anything"),
        column("kept_at", INSTANT, "When it was kept", server_default=sa.text("now()")),
        schema="vault",
        comment="Rejected ledger rows with their delivered values. Restricted.",
    )


def column(name: str, kind: Any, meaning: str, *, nullable: bool = False, **rest: Any) -> sa.Column[Any]:  # noqa: ANN401  SQLAlchemy's own arguments
    """A column that is required unless it says otherwise."""
    return sa.Column(name, kind, nullable=nullable, comment=meaning, **rest)
