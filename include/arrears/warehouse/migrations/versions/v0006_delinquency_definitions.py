"""Several delinquency definitions side by side per loan."""

from __future__ import annotations

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add it."""
