"""Indexes for what is asked before every message: what a person was given, and whether anything was reported."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0022"


def upgrade() -> None:
    """Find a person's contacts, and the newest reports, without reading all."""
    op.create_index(
        "notification_person",
        "notification",
        ["person_key", "business_date"],
        schema="ops",
        postgresql_where=sa.text("state_code IN ('claimed', 'sent', 'unknown')"),
    )
    op.create_index("feedback_event_arrival", "feedback_event", ["received_at", "sequence"], schema="ops")
