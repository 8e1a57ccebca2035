"""States of a case, the moves between them, and how often it has opened."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0021"

EPISODE_ON = "Business date the case opened or last re-opened; its path counts from here"
COLUMNS = (
    (
        "episode_on",
        sa.Date(),
        "DATE '1970-01-01'",
        EPISODE_ON,
    ),
    ("episodes", sa.BigInteger(), "1", "How often it has opened"),
    ("state_code", sa.Text(), "'open'", "State of the case"),
    ("move_code", sa.Text(), "'unchanged'", "Move that led from the state of the day before to this one"),
    ("stage_code", sa.Text(), "'collection'", "recovery: a loan of it is charged off, and work goes on"),
    ("first_treated_on", sa.Date(), None, "Business date of the first step planned since episode_on"),
    ("steps_planned", sa.BigInteger(), "0", "Steps planned since episode_on, up to the day before"),
    ("promised_on", sa.Date(), None, "Earliest date on which a live promise or plan is due; NULL without one"),
    ("is_watched", sa.Boolean(), "FALSE", "Late again while the last cure or a new schedule is watched"),
)


def upgrade() -> None:
    """Widen the cases; those published before are taken as opened once, and closed ones as their reason says."""
    for schema in ("mart", "stg"):
        for name, type_, earlier, comment in COLUMNS:
            default = sa.text(earlier) if earlier else None
            column = sa.Column(name, type_, nullable=earlier is None, server_default=default, comment=comment)
            op.add_column("fct_case_daily", column, schema=schema)
            if earlier is not None:
                op.alter_column("fct_case_daily", name, server_default=None, schema=schema)
    op.execute(
        "UPDATE mart.fct_case_daily SET episode_on = opened_on, state_code = CASE "
        "WHEN closed_on IS NULL THEN CASE WHEN hold_code IS NULL THEN 'open' ELSE 'hold' END "
        "WHEN close_reason_code = 'cancelled' THEN 'closed_other' ELSE close_reason_code END"
    )
