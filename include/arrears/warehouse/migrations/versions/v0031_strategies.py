"""Since when a case is in its state, which segment and arm a step came from, and how experiments stand."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from arrears.warehouse.migrations.versions.v0005_delinquency_journal import column, fact

revision = "0031"
down_revision = "0043"

CASE_ID = "Case; P-... for a due date and F-... for a first loan, before there is a case"


def upgrade() -> None:
    """Widen cases and plan; make the experiments' fact."""
    for schema in ("mart", "stg"):
        widened("fct_case_daily", "state_since_on", sa.Date(), "DATE '1970-01-01'", STATE_SINCE, schema)
        widened("fct_contact_plan_daily", "segment_id", sa.Text(), "''", "Segment of the strategy", schema)
        arm = "Experiment and arm, e.g. later_text/challenger; empty: in none"
        widened("fct_contact_plan_daily", "arm_code", sa.Text(), "''", arm, schema)
        op.alter_column("fct_contact_plan_daily", "case_id", comment=CASE_ID, schema=schema)
        for name, type_, meaning in (
            ("team_id", sa.Text(), "Team of the agent; NULL without one"),
            ("agent_since_on", sa.Date(), "Business date since which this agent has it; NULL without one"),
        ):
            op.add_column("fct_assignment_daily", sa.Column(name, type_, comment=meaning), schema=schema)
    op.execute("UPDATE mart.fct_case_daily SET state_since_on = opened_on")
    fact(
        "fct_experiment_daily",
        "Arms of the running experiments: sizes, outcomes, guard rails",
        "one row per experiment and arm",
        ("experiment_id", "arm_code"),
        column("experiment_id", sa.Text(), "Experiment of the strategy"),
        column("arm_code", sa.Text(), "Arm"),
        column("share_pct", sa.Integer(), "Configured share of the people, in percent"),
        column("people", sa.BigInteger(), "People who have entered"),
        column("cured_people", sa.BigInteger(), "Of them with a case cured since"),
        column("contacts", sa.BigInteger(), "Contacts planned for them since, up to the day before"),
        column("complaints", sa.BigInteger(), "Complaints of theirs since"),
        column("opt_outs", sa.BigInteger(), "Opt-outs of theirs since"),
        column("mismatch_ppm", sa.Integer(), "Chance of arm sizes this far from their shares, in parts per million"),
        column("breached", sa.Text(), "Guard rails broken, comma separated; empty: none"),
        column(
            "stopped_on",
            sa.Date(),
            "Business date since which it goes on as champion; NULL while it runs",
            nullable=True,
        ),
    )


STATE_SINCE = "Business date since which the state holds"


def widened(table: str, name: str, type_: sa.types.TypeEngine[Any], earlier: str, meaning: str, schema: str) -> None:  # noqa: PLR0913, PLR0917  a column is its parts
    """One more column, with what stands for it in rows published before."""
    added = sa.Column(name, type_, nullable=False, server_default=sa.text(earlier), comment=meaning)
    op.add_column(table, added, schema=schema)
    op.alter_column(table, name, server_default=None, schema=schema)
