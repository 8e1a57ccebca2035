"""A worklist's contact follows its row of the outbox: what is held or suppressed is nobody's to call."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0130"
down_revision = "0112"

FOLLOW = """
CREATE FUNCTION work.follow_outbox() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    listed work.agent_worklist;
    made boolean := NEW.state_code IN ('planned', 'claimed', 'rejected_retryable', 'sent')
        AND NEW.delivery_code IS DISTINCT FROM 'withdrawn';
    token uuid;
BEGIN
    SELECT * INTO listed FROM work.agent_worklist AS one
    WHERE one.step_key = NEW.step_key AND one.business_date = NEW.business_date FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF made AND NEW.channel_code IN ('call', 'visit') THEN
        token := coalesce(listed.dial_token, gen_random_uuid());
    END IF;
    UPDATE work.agent_worklist AS one SET
        contact_state_code = NEW.state_code,
        channel_code = CASE WHEN made THEN NEW.channel_code END,
        template_code = CASE WHEN made THEN NEW.template_code END,
        language = CASE WHEN made THEN NEW.language END,
        not_before_at = CASE WHEN made THEN NEW.not_before_at END,
        not_after_at = CASE WHEN made THEN NEW.not_after_at END,
        dial_token = token
    WHERE one.step_key = NEW.step_key AND one.business_date = NEW.business_date;
    IF token IS DISTINCT FROM listed.dial_token THEN
        DELETE FROM vault.dial_token AS one WHERE one.dial_token = listed.dial_token;
        INSERT INTO vault.dial_token (dial_token, portfolio, contact_point_id, expires_at)
        SELECT token, NEW.portfolio, NEW.contact_point_id, NEW.not_after_at WHERE token IS NOT NULL;
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    """Add the two columns and the trigger; lists of days past stay as they are."""
    for name, meaning in (
        ("step_key", "Row of the outbox that the contact is"),
        ("contact_state_code", "Where it stands; held, suppressed ...: nobody calls"),
    ):
        op.add_column("agent_worklist", sa.Column(name, sa.Text(), nullable=True, comment=meaning), schema="work")
    op.alter_column(
        "agent_worklist",
        "channel_code",
        comment="Channel; NULL: no contact today, or none that may be made",
        schema="work",
    )
    op.create_index("agent_worklist_step", "agent_worklist", ["step_key"], schema="work")
    op.execute(FOLLOW)
    op.execute(
        "CREATE TRIGGER notification_worklist AFTER UPDATE OF state_code, delivery_code ON ops.notification "
        "FOR EACH ROW EXECUTE FUNCTION work.follow_outbox()"
    )
