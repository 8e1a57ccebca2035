"""The outbox's states, its append-only history, and one contact per person and day by a unique index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from arrears.warehouse.migrations.versions.v0002_operations import INSTANT, column
from arrears.warehouse.migrations.versions.v0020_audit import append_only

revision = "0021"
down_revision = "0020"

PERSON_KEY = "COALESCE(person_id, portfolio || '/' || borrower_id)"
STATES = (
    "held",
    "planned",
    "claimed",
    "sent",
    "rejected_retryable",
    "rejected_final",
    "unknown",
    "suppressed",
    "expired",
    "cancelled",
)
# Which state may follow which. What is sent or ended stays so; what is unknown is never claimed again by itself: it
# first becomes definitely rejected, by a look-up or by a person.
MOVES = {
    "held": ("planned", "suppressed", "expired", "cancelled"),
    "planned": ("held", "claimed", "suppressed", "expired", "cancelled"),
    "rejected_retryable": ("held", "claimed", "rejected_final", "suppressed", "expired", "cancelled"),
    "claimed": ("sent", "rejected_retryable", "rejected_final", "unknown", "planned", "suppressed"),
    "unknown": ("sent", "rejected_retryable", "rejected_final", "cancelled"),
}
GUARD = """
CREATE FUNCTION ops.guard_notification() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state_code <> OLD.state_code AND (OLD.state_code || ' ' || NEW.state_code) NOT IN ({moves}) THEN
        RAISE EXCEPTION 'outbox: % may not become %', OLD.state_code, NEW.state_code USING ERRCODE = 'check_violation';
    END IF;
    NEW.changed_at := clock_timestamp();
    RETURN NEW;
END $$
"""
JOURNAL = """
CREATE FUNCTION ops.journal_notification() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.state_code, NEW.delivery_code, NEW.reason_code, NEW.attempt_no)
        IS NOT DISTINCT FROM (OLD.state_code, OLD.delivery_code, OLD.reason_code, OLD.attempt_no) THEN
        RETURN NULL;
    END IF;
    INSERT INTO ops.notification_event (
        step_key, portfolio, from_state_code, state_code, delivery_code, attempt_no, channel_code, payload_hash,
        provider_code, provider_reference, reason_code, actor
    ) VALUES (
        NEW.step_key, NEW.portfolio, CASE TG_OP WHEN 'UPDATE' THEN OLD.state_code END, NEW.state_code,
        NEW.delivery_code, NEW.attempt_no, NEW.channel_code, NEW.payload_hash,
        NEW.provider_code, NEW.provider_reference, NEW.reason_code, NEW.changed_by
    );
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    """Widen the outbox, give it its history, and let neither be changed by chance."""
    plan_columns()
    outbox_columns()
    history()
    op.execute(GUARD.format(moves=", ".join(f"'{old} {new}'" for old, news in MOVES.items() for new in news)))
    op.execute(JOURNAL)
    op.execute(
        "CREATE TRIGGER notification_guard BEFORE UPDATE ON ops.notification "
        "FOR EACH ROW EXECUTE FUNCTION ops.guard_notification()"
    )
    op.execute(
        "CREATE TRIGGER notification_journal AFTER INSERT OR UPDATE ON ops.notification "
        "FOR EACH ROW EXECUTE FUNCTION ops.journal_notification()"
    )


def plan_columns() -> None:
    """What a plan is about, which the outbox takes over."""
    for schema in ("mart", "stg"):
        for name, comment in (
            ("loan_ids", "Loans the contact would be about, comma-separated"),
            ("currency", "ISO 4217 code of past_due_minor"),
        ):
            new = sa.Column(name, sa.Text(), nullable=False, server_default="", comment=comment)
            op.add_column("fct_contact_plan_daily", new, schema=schema)
            op.alter_column("fct_contact_plan_daily", name, server_default=None, schema=schema)


def outbox_columns() -> None:
    """Attempts, claims, outcomes."""
    person_key = sa.Column(
        "person_key",
        sa.Text(),
        sa.Computed(PERSON_KEY, persisted=True),
        comment="Who must not be contacted twice",
    )
    for new in (
        column("purpose_code", sa.Text(), "Purpose of the step", server_default="collection"),
        column("strategy", sa.Text(), "Strategy and version that planned it", server_default=""),
        column("loan_ids", ARRAY(sa.Text()), "Loans it is about", server_default="{}"),
        column("currency", sa.Text(), "ISO 4217 code of its amount", server_default=""),
        person_key,
        column("attempt_no", sa.Integer(), "Attempts begun; each is one intent", server_default="0"),
        column("contacted_on", sa.Date(), "Person's date of an attempt that did, or may have, reached", nullable=True),
        column("claim_id", sa.Uuid(), "The claim at work; only its holder may write the outcome", nullable=True),
        column("claim_expires_at", INSTANT, "When the claim at work has surely ended", nullable=True),
        column("payload_hash", sa.Text(), "SHA-256 of what the last attempt said", nullable=True),
        column("provider_code", sa.Text(), "Who was asked to deliver the last attempt", nullable=True),
        column("provider_reference", sa.Text(), "What the provider calls it", nullable=True),
        column("delivery_code", sa.Text(), "What became of a sent one; NULL while nobody said", nullable=True),
        column("next_try_at", INSTANT, "Not to be claimed before; NULL: no wait", nullable=True),
        column("reason_code", sa.Text(), "Why it stands there, in code words", server_default="planned"),
        column("changed_by", sa.Text(), "Who brought it there", server_default="publish"),
        column("changed_at", INSTANT, "When", server_default=sa.text("clock_timestamp()")),
    ):
        op.add_column("notification", new, schema="ops")
    op.alter_column(
        "notification",
        "state_code",
        comment="Where it stands; ops.notification_event says how it came there",
        schema="ops",
    )
    op.create_table_comment(
        "notification", "Outbox: one row per step and, by a unique index, one contact per person and day.", schema="ops"
    )
    op.create_check_constraint("notification_state", "notification", sa.column("state_code").in_(STATES), schema="ops")
    op.create_index("notification_due", "notification", ["channel_code", "state_code", "not_before_at"], schema="ops")
    op.create_index(
        "notification_person_day",
        "notification",
        ["person_key", "contacted_on"],
        unique=True,
        postgresql_where=sa.text("contacted_on IS NOT NULL"),
        schema="ops",
    )


def history() -> None:
    """Every state a row ever had."""
    op.create_table(
        "notification_event",
        sa.Column("event_id", sa.BigInteger(), sa.Identity(always=True), primary_key=True, comment="Order of events"),
        column("step_key", sa.Text(), "Which row of the outbox"),
        column("portfolio", sa.Text(), "Portfolio folder name"),
        column("at", INSTANT, "When", server_default=sa.text("clock_timestamp()")),
        column("from_state_code", sa.Text(), "State before; NULL when the row was made", nullable=True),
        column("state_code", sa.Text(), "State after"),
        column("delivery_code", sa.Text(), "What became of a sent one; NULL while nobody said", nullable=True),
        column("attempt_no", sa.Integer(), "Attempt it is about; 0 before the first"),
        column("channel_code", sa.Text(), "Channel of the attempt"),
        column("payload_hash", sa.Text(), "SHA-256 of what the attempt said", nullable=True),
        column("provider_code", sa.Text(), "Who was asked to deliver", nullable=True),
        column("provider_reference", sa.Text(), "What the provider calls it", nullable=True),
        column("reason_code", sa.Text(), "Why, in code words"),
        column("actor", sa.Text(), "Who"),
        schema="ops",
        comment="Every state an outbox row ever had; written by a trigger, appended only.",
    )
    op.create_index("notification_event_step", "notification_event", ["step_key", "event_id"], schema="ops")
    append_only("ops.notification_event")
