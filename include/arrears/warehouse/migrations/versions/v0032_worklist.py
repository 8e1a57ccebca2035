"""Agents' worklists, seen by their own team alone, and the tokens that stand for numbers."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0032"
down_revision = "0031"

INSTANT = TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Make ``work``, its two tables with row-level security, and the dialler's table in the vault."""
    op.execute("CREATE SCHEMA IF NOT EXISTS work")
    op.create_table(
        "agent_worklist",
        column("portfolio", sa.Text(), "Portfolio folder name"),
        column("business_date", sa.Date(), "The day that is worked"),
        column("case_id", sa.Text(), "Case"),
        column("team_id", sa.Text(), "Team that sees the row; empty: supervisors only"),
        column("agent_id", sa.Text(), "Agent; NULL in a pool", nullable=True),
        column("queue_id", sa.Text(), "Queue"),
        column("work_rank", sa.Integer(), "Order within the agent's or queue's list, from 1"),
        column("state_code", sa.Text(), "State of the case"),
        column("bucket", sa.Text(), "Bucket the case is worked in"),
        column("delinquent_days", sa.Integer(), "Of its loans that may be worked"),
        column("past_due_minor", sa.BigInteger(), "Past-due amount that may be spoken of"),
        column("currency", sa.Text(), "ISO 4217 code"),
        column("promised_on", sa.Date(), "When a live promise is due", nullable=True),
        column("step_id", sa.Text(), "Step of the strategy due today; NULL: none", nullable=True),
        column("channel_code", sa.Text(), "Channel planned; NULL: no contact today", nullable=True),
        column("template_code", sa.Text(), "Script or text", nullable=True),
        column("language", sa.Text(), "BCP 47 language", nullable=True),
        column("not_before_at", INSTANT, "Earliest lawful instant", nullable=True),
        column("not_after_at", INSTANT, "First instant too late", nullable=True),
        column("dial_token", sa.Uuid(), "What the dialler is given instead of a number", nullable=True),
        column("reason", sa.Text(), "Why the case stands here"),
        sa.PrimaryKeyConstraint("portfolio", "business_date", "case_id", name="agent_worklist_pkey"),
        schema="work",
        comment="What agents work today; each team sees its own rows (row-level security), "
        "history once the day has begun.",
    )
    op.create_index("agent_worklist_team", "agent_worklist", ["team_id", "business_date"], schema="work")
    op.create_table(
        "team_member",
        column("role_name", sa.Text(), "Database role of an agent or of a team's tool", primary_key=True),
        column("team_id", sa.Text(), "Team whose rows it sees", primary_key=True),
        schema="work",
        comment="Who sees which team's worklist.",
    )
    op.create_table(
        "dial_token",
        column("dial_token", sa.Uuid(), "Drawn at random, for one case and day", primary_key=True),
        column("portfolio", sa.Text(), "Portfolio folder name"),
        column("contact_point_id", sa.Text(), "Point it stands for"),
        column("expires_at", INSTANT, "Since when the dialler refuses it"),
        schema="vault",
        comment="Which contact point a worklist's token stands for; for the dialler alone.",
    )
    for table, condition in (
        ("team_member", "role_name = current_user"),
        ("agent_worklist", "team_id IN (SELECT m.team_id FROM work.team_member AS m WHERE m.role_name = current_user)"),
    ):
        op.execute(f"ALTER TABLE work.{table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE work.{table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_rows ON work.{table} FOR SELECT USING ({condition})")
        op.execute(f"CREATE POLICY publisher ON work.{table} FOR ALL TO CURRENT_USER USING (TRUE)")


def column(name: str, kind: Any, meaning: str, *, nullable: bool = False, **rest: Any) -> sa.Column[Any]:  # noqa: ANN401  SQLAlchemy's own arguments
    """A column that is required unless it says otherwise."""
    return sa.Column(name, kind, nullable=nullable, comment=meaning, **rest)
