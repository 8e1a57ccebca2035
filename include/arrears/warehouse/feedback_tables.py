"""What the world answers: ``ops.feedback_event``, appended only.

Belongs here: the tables of feedback. What is current is read through the views ``ops.feedback_*``, which fold the
events; a session that sets ``arrears.known_until`` sees them as they were known at that instant.
"""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, Column, Identity, Index, Integer, Table, Text, UniqueConstraint
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
