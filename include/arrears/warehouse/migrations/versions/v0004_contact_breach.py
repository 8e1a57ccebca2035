"""What was actually done to a person against the contact rules."""

from __future__ import annotations

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add it."""
