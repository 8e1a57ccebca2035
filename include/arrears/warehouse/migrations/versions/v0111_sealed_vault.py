"""The vault is sealed: a data key for each subject, values as bytes, addresses with their time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from arrears.warehouse.migrations.versions.v0002_operations import INSTANT, column

revision = "0111"
down_revision = "0110"

SEALED_COLUMNS = (
    ("rejected_row", "delivered", "The row as delivered, JSON, sealed; may hold anything"),
    ("feedback_rejected", "delivered", "The row as delivered, JSON, sealed; may hold anything"),
    ("feedback_note", "note", "The words, sealed; may hold anything"),
)


def upgrade() -> None:
    """Make keys and the list of the erased; what lay in clear goes, and is loaded or made again sealed."""
    op.create_table(
        "data_key",
        column("portfolio", sa.Text(), "Portfolio folder name", primary_key=True),
        column("subject", sa.Text(), "Whose values: party:ID, point:ID, delivery:ID, day:DATE", primary_key=True),
        column("key_version", sa.Integer(), "Master key that it is sealed under"),
        column("sealed_key", sa.LargeBinary(), "Data key, sealed; destroyed, its values are noise"),
        column("made_at", INSTANT, "When", server_default=sa.text("now()")),
        schema="vault",
        comment="One key for each subject; whoever deletes a row has erased what was sealed under it. Restricted.",
    )
    op.create_table(
        "erased",
        column("portfolio", sa.Text(), "Portfolio folder name", primary_key=True),
        column("subject_mac", sa.Text(), "HMAC of the subject: names nobody, and is found again", primary_key=True),
        column("erased_at", INSTANT, "When", server_default=sa.text("now()")),
        schema="vault",
        comment="Subjects that get no data key again, whatever is rerun or loaded.",
    )
    op.drop_table("contact_value", schema="vault")
    op.create_table(
        "contact_value",
        column("portfolio", sa.Text(), "Portfolio folder name", primary_key=True),
        column("contact_point_id", sa.Text(), "Contact point identifier of the source", primary_key=True),
        column("valid_from_at", INSTANT, "Since when it was known", primary_key=True),
        column("valid_to_at", INSTANT, "Until when; NULL: it still is", nullable=True),
        column("subject", sa.Text(), "Whose data key it is sealed under"),
        column("sealed", sa.LargeBinary(), "Number, address or token, sealed"),
        schema="vault",
        comment="Numbers and addresses by contact point, with their time. Restricted.",
    )
    for table, name, meaning in SEALED_COLUMNS:
        op.execute(f"DELETE FROM vault.{table}")
        op.drop_column(table, name, schema="vault")
        op.add_column(table, column(name, sa.LargeBinary(), meaning), schema="vault")
    op.add_column("feedback_note", column("subject", sa.Text(), "Whose data key it is sealed under"), schema="vault")
    op.create_table(
        "legal_hold",
        sa.Column(
            "hold_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            primary_key=True,
            comment="Number, for `arrears privacy end-hold`",
        ),
        column("portfolio", sa.Text(), "Portfolio folder name"),
        column("party_id", sa.Text(), "Party whose records must stay"),
        column("reason", sa.Text(), "Why, in the author's words"),
        column("started_by", sa.Text(), "Who"),
        column("started_at", INSTANT, "Since when", server_default=sa.text("clock_timestamp()")),
        column("ended_by", sa.Text(), "Who ended it; NULL while it holds", nullable=True),
        column("ended_at", INSTANT, "Until when; NULL while it holds", nullable=True),
        schema="ops",
        comment="Parties whose records must not be erased, whatever their term.",
    )
