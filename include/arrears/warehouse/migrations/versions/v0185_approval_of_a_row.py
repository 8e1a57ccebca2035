"""Which question a held row waits for, so that an answer moves the rows that were asked about and no others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0185"
down_revision = "0100"

# What is held already waits for the newest question of its day: only somebody who saw the latest figures lets it go.
WAITING = """
UPDATE ops.notification AS step
SET approval_id = newest.approval_id
FROM (
    SELECT DISTINCT ON (portfolio, business_date) portfolio, business_date, approval_id
    FROM ops.contact_approval
    WHERE state_code = 'asked'
    ORDER BY portfolio ASC, business_date ASC, asked_at DESC
) AS newest
WHERE
    step.portfolio = newest.portfolio AND step.business_date = newest.business_date
    AND step.state_code = 'held' AND step.reason_code = 'plan_departs'
"""


def upgrade() -> None:
    """Add the question; rows that are held get theirs."""
    comment = "Question it waits for, or waited; NULL: nobody was asked"
    op.add_column("notification", sa.Column("approval_id", sa.Uuid(), nullable=True, comment=comment), schema="ops")
    op.execute(WAITING)
