"""What the world answers, and what people decide: ``ops.feedback_event``, appended only, and what is around it.

Belongs here: the tables of feedback and approvals. What is current is read through the views ``ops.feedback_*``, which
fold the events; a session that sets ``arrears.known_until`` sees them as they were known at that instant.
"""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Date,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from arrears.contracts.model import PiiClass
from arrears.warehouse.base import INSTANT, metadata

PSEUDONYM = {"pii": PiiClass.PSEUDONYM.value}

FEEDBACK_EVENT = Table(
    "feedback_event",
    metadata,
    Column("event_id", Text, primary_key=True, comment="Hash of portfolio, source, kind, reference and revision"),
    Column("sequence", BigInteger, Identity(always=True), nullable=False, comment="Order of arrival"),
    Column("portfolio", Text, nullable=False, comment="Portfolio folder name"),
    Column("source_code", Text, nullable=False, comment="Who reported it: a configured source"),
    Column("kind_code", Text, nullable=False, comment="What it is: contact, promise, dispute, opt_out ..."),
    Column("source_ref", Text, nullable=False, comment="The source's own identifier of what it reports"),
    Column("revision", Integer, nullable=False, comment="From 1; the highest says what is true, whenever it arrives"),
    Column("content_hash", Text, nullable=False, comment="Over all that is reported; the same again is no news"),
    Column("person_id", Text, nullable=True, comment="Same human over portfolios", info=PSEUDONYM),
    Column("party_id", Text, nullable=True, comment="Party of the source", info=PSEUDONYM),
    Column("contact_point_id", Text, nullable=True, comment="Contact point, where it is about one", info=PSEUDONYM),
    Column("loan_ids", ARRAY(Text), nullable=False, comment="Loans it is about; none: it is about the person"),
    Column("author_id", Text, nullable=True, comment="Agent or supervisor who says so", info=PSEUDONYM),
    Column("occurred_at", INSTANT, nullable=False, comment="When it happened, by the source"),
    Column("received_at", INSTANT, nullable=False, comment="When it was known here; a day knows what came before it"),
    Column("detail", JSONB, nullable=False, comment="What the kind says beside; codes, amounts, instants, no words"),
    UniqueConstraint(
        "portfolio", "source_code", "kind_code", "source_ref", "revision", name="feedback_event_natural_key"
    ),
    Index("feedback_event_received", "portfolio", "received_at"),
    Index("feedback_event_arrival", "received_at", "sequence"),
    schema="ops",
    comment="What was reported from outside, one row per report and revision; appended only, ids and codes only.",
)

FEEDBACK_DELIVERY = Table(
    "feedback_delivery",
    metadata,
    Column("portfolio", Text, primary_key=True, comment="Portfolio folder name"),
    Column("source_code", Text, primary_key=True, comment="Who delivered: a configured source"),
    Column("delivery_id", Text, primary_key=True, comment="Hash of a file's or request's bytes and signature"),
    Column("way_code", Text, nullable=False, comment="file, database or webhook"),
    Column("name", Text, nullable=False, comment="File name, SELECT, or the request's own identifier"),
    Column("rows", Integer, nullable=False, comment="Rows delivered"),
    Column("accepted", Integer, nullable=False, comment="Of them new, and kept"),
    Column("repeated", Integer, nullable=False, comment="Of them known already, word for word"),
    Column("rejected", Integer, nullable=False, comment="Of them in quarantine"),
    Column("stopped", Integer, nullable=False, comment="Waiting contacts that ended because of it"),
    Column("error_code", Text, nullable=True, comment="Why nothing of it could be read; NULL when it could"),
    Column("received_at", INSTANT, nullable=False, comment="When it was taken in"),
    Index("feedback_delivery_newest", "portfolio", "source_code", "received_at"),
    schema="ops",
    comment="Every delivery of reports, once.",
)

FEEDBACK_REJECTED = Table(
    "feedback_rejected",
    metadata,
    Column("portfolio", Text, primary_key=True, comment="Portfolio folder name"),
    Column("source_code", Text, primary_key=True, comment="Who delivered"),
    Column("delivery_id", Text, primary_key=True, comment="Delivery"),
    Column("row_number", Integer, primary_key=True, autoincrement=False, comment="Line of a file, else ordinal"),
    Column("column_name", Text, primary_key=True, comment="Column to look at; empty: the row"),
    Column("name", Text, nullable=False, comment="File name, SELECT, or the request's own identifier"),
    Column("error_code", Text, nullable=False, comment="Error, with its runbook"),
    Column("expected", Text, nullable=False, comment="What was expected; never what was found"),
    Column("received_at", INSTANT, nullable=False, comment="When it was taken in"),
    Column("settled_at", INSTANT, nullable=True, comment="When a later try took it in; NULL: it waits for somebody"),
    Column("kind_code", Text, nullable=True, comment="What it reports; NULL: it does not say"),
    Column("source_ref", Text, nullable=True, comment="The source's own identifier of it; NULL: none that can be one"),
    schema="ops",
    comment="Reported rows that were not taken in, without their values.",
)

FEEDBACK_REJECTED_VALUES = Table(
    "feedback_rejected",
    metadata,
    Column("portfolio", Text, primary_key=True, comment="Portfolio folder name"),
    Column("source_code", Text, primary_key=True, comment="Who delivered"),
    Column("delivery_id", Text, primary_key=True, comment="Delivery"),
    Column("row_number", Integer, primary_key=True, autoincrement=False, comment="Line of a file, else ordinal"),
    Column("delivered", LargeBinary, nullable=False, comment="The row as delivered, JSON, sealed; may hold anything"),
    schema="vault",
    comment="Reported rows that were not taken in, with their values. Restricted.",
)

FEEDBACK_NOTE = Table(
    "feedback_note",
    metadata,
    Column("event_id", Text, primary_key=True, comment="Report in ops.feedback_event"),
    Column("note", LargeBinary, nullable=False, comment="The words, sealed; may hold anything"),
    Column("subject", Text, nullable=False, comment="Whose data key it is sealed under"),
    Column("kept_at", INSTANT, nullable=False, server_default=text("now()"), comment="When they were kept"),
    schema="vault",
    comment="What agents and supervisors wrote. Restricted.",
)

CONTACT_APPROVAL = Table(
    "contact_approval",
    metadata,
    Column("approval_id", Uuid, primary_key=True, comment="The publication that asks"),
    Column("portfolio", Text, nullable=False, comment="Portfolio folder name"),
    Column("business_date", Date, nullable=False, comment="The day whose plan is held"),
    Column("reasons", JSONB, nullable=False, comment="What departs from its history: code, what, figure, usual"),
    Column("held", Integer, nullable=False, comment="Contacts held"),
    Column("state_code", Text, nullable=False, comment="asked, approved, refused or timed_out"),
    Column("asked_at", INSTANT, nullable=False, comment="When the plan was published"),
    Column("decided_by", Text, nullable=True, comment="Who decided; NULL while nobody has, or when time ran out"),
    Column("decided_at", INSTANT, nullable=True, comment="When"),
    Column("moved", Integer, nullable=True, comment="Contacts that the decision released, or let expire"),
    schema="ops",
    comment="Plans that depart from their history, and what was decided of them.",
)
