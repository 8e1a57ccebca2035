"""What a dispatcher reads beside the outbox: stops that people set, the counter of a daily cap, and its indexes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from arrears.warehouse.migrations.versions.v0002_operations import INSTANT, column

revision = "0022"
down_revision = "0060"


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "outbox_stop",
        sa.Column(
            "stop_id", sa.BigInteger(), sa.Identity(always=True), primary_key=True, comment="Number, for `outbox start`"
        ),
        column("scope_code", sa.Text(), "all, portfolio, region, product, channel, template, agency, list"),
        column("scope_value", sa.Text(), "Which; empty for all"),
        column("reason", sa.Text(), "Why, in the author's words"),
        column("started_at", INSTANT, "Since when", server_default=sa.text("clock_timestamp()")),
        column("started_by", sa.Text(), "Who stopped"),
        column("ended_at", INSTANT, "Until when; NULL while it holds", nullable=True),
        column("ended_by", sa.Text(), "Who let go on; NULL while it holds", nullable=True),
        schema="ops",
        comment="Stops of sending that people have set; each is asked about before every message.",
    )
    op.create_table(
        "outbox_day",
        column("channel_code", sa.Text(), "Channel", primary_key=True),
        column("on_date", sa.Date(), "Date in UTC", primary_key=True),
        column("attempts", sa.BigInteger(), "Attempts begun; counted where a daily cap is set"),
        schema="ops",
        comment="Counter behind a channel's daily cap; every claim of the channel locks it.",
    )
    op.drop_index("notification_due", "notification", schema="ops")
    op.create_index(
        "notification_due",
        "notification",
        ["channel_code", "not_after_at", "step_key"],
        postgresql_where=sa.text("state_code IN ('planned', 'rejected_retryable')"),
        schema="ops",
    )
    op.create_index(
        "notification_unsettled",
        "notification",
        ["channel_code"],
        postgresql_where=sa.text("state_code IN ('claimed', 'unknown')"),
        schema="ops",
    )
