"""Messages that were tried more than once, which a name of an earlier attempt is looked for among."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0180"
down_revision = "0186"


def upgrade() -> None:
    """Index the few of them."""
    op.create_index(
        "notification_tried_again",
        "notification",
        ["channel_code"],
        schema="ops",
        postgresql_where=sa.text("attempt_no > 1"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("notification_tried_again", "notification", schema="ops")
