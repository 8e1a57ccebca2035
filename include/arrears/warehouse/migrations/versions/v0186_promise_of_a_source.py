"""Promises of two sources may have one number."""

from __future__ import annotations

from alembic import op

revision = "0186"
down_revision = "0185"


def upgrade() -> None:
    """The source is part of the key."""
    op.drop_constraint("fct_promise_daily_pkey", "fct_promise_daily", schema="mart")
    key = ["portfolio", "business_date", "promise_id", "seq", "source_code"]
    op.create_primary_key("fct_promise_daily_pkey", "fct_promise_daily", key, schema="mart")
    op.execute(
        "COMMENT ON TABLE mart.fct_promise_daily IS 'Promises to pay, and what became of them. Grain: one row per "
        "promise and part, an amount promised by one day; sources number their promises for themselves, where "
        "state_code = ''open'' OR since_on = business_date, by portfolio and business date.'"
    )
