"""What changed a loan's standing, what the source says of it, and since when each bucket holds."""

from __future__ import annotations

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add it."""
