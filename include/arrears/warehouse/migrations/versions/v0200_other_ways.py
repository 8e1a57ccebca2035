"""A step goes on by its next way when one refuses for good: ways of a plan and a row, points of attempts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from arrears.warehouse.migrations.versions.v0021_outbox import JOURNAL
from arrears.warehouse.migrations.versions.v0130_worklist_follows import FOLLOW

revision = "0200"
down_revision = "0170"

# A token dials one point: what goes on at another gets another token.
TOKEN = "token := coalesce(listed.dial_token, gen_random_uuid());"  # noqa: S105  a statement
TOKEN_OF_POINT = """token := coalesce((
            SELECT one.dial_token FROM vault.dial_token AS one
            WHERE one.dial_token = listed.dial_token AND one.contact_point_id = NEW.contact_point_id
        ), gen_random_uuid());"""  # noqa: S105  another


def upgrade() -> None:
    """Add the columns; the history notes the point of each attempt, the worklist follows a change of channel."""
    for schema in ("mart", "stg"):
        comment = (
            "JSON list of the channels and points that may be used instead, in order, with their windows; NULL: none"
        )
        new = sa.Column("other_ways", sa.Text(), nullable=True, comment=comment)
        op.add_column("fct_contact_plan_daily", new, schema=schema)
    comment = "Channels and points to be used should this one refuse for good, in order, with their windows"
    ways = sa.Column("ways", JSONB(), nullable=False, server_default="[]", comment=comment)
    op.add_column("notification", ways, schema="ops")
    comment = "Point of the attempt; NULL: of before it was noted"
    op.add_column(
        "notification_event", sa.Column("contact_point_id", sa.Text(), nullable=True, comment=comment), schema="ops"
    )
    op.create_index(
        "notification_event_dead",
        "notification_event",
        ["at"],
        schema="ops",
        postgresql_where=sa.text("reason_code = 'address_dead'"),
    )
    noted = JOURNAL.replace("reason_code, actor\n", "reason_code, actor, contact_point_id\n")
    noted = noted.replace("NEW.changed_by\n", "NEW.changed_by, NEW.contact_point_id\n")
    op.execute(noted.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    op.execute(FOLLOW.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION").replace(TOKEN, TOKEN_OF_POINT))
    op.execute("DROP TRIGGER notification_worklist ON ops.notification")
    op.execute(
        "CREATE TRIGGER notification_worklist AFTER UPDATE OF state_code, delivery_code, channel_code "
        "ON ops.notification FOR EACH ROW EXECUTE FUNCTION work.follow_outbox()"
    )
