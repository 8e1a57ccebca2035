"""Every table of the warehouse as a SQLAlchemy value: facts compiled from contracts, ``ops`` and ``vault`` by hand.

What a database really has is made by the frozen migrations; a test holds the two equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Date,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from arrears.contracts import CONTRACTS
from arrears.contracts.chinese import in_both_languages
from arrears.contracts.model import ColumnType, PiiClass
from arrears.warehouse import base, feedback_tables, worklist  # noqa: F401  whose tables are part of the metadata
from arrears.warehouse.base import INSTANT

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.types import TypeEngine

    from arrears.contracts.model import Contract

SCHEMAS = ("mart", "stg", "ops", "vault", "work")
EVERY_ROW = "TRUE"  # a contract's `mart_rows` when nothing is left out
FACTS: tuple[Contract, ...] = tuple(contract for contract in CONTRACTS.values() if contract.mart)

metadata = base.metadata
TYPES: dict[ColumnType, TypeEngine[Any]] = {
    ColumnType.TEXT: Text(),
    ColumnType.BIGINT: BigInteger(),
    ColumnType.INTEGER: Integer(),
    ColumnType.BOOLEAN: Boolean(),
    ColumnType.DATE: Date(),
    ColumnType.INSTANT: INSTANT,
}


def _columns(contract: Contract, says: Callable[[str, str], str] = lambda _, meaning: meaning) -> list[Column[Any]]:
    own = [
        Column(
            column.name,
            TYPES[column.type],
            nullable=column.nullable,
            comment=says(column.name, column.meaning),
            info={"pii": column.pii.value},
        )
        for column in contract.all_columns
    ]
    load = says("load_id", "Making of the lake partition the row came from")
    return [*own, Column("load_id", Text, nullable=False, comment=load)]


def mart_grain(contract: Contract) -> str:
    """The contract's grain, narrowed to the rows that are published."""
    return contract.grain if contract.mart_rows == EVERY_ROW else f"{contract.grain}, where {contract.mart_rows}"


def _mart(contract: Contract) -> Table:
    """The published fact. Its primary key begins with portfolio and date, which is the index a publication needs."""
    return Table(
        contract.mart,
        metadata,
        *_columns(contract, in_both_languages),
        PrimaryKeyConstraint("portfolio", "business_date", *contract.key, name=f"{contract.mart}_pkey"),
        *_indexes(contract),
        schema="mart",
        comment=f"{contract.meaning}. Grain: {mart_grain(contract)}, by portfolio and business date.",
        postgresql_partition_by="RANGE (business_date)" if contract.grows else None,
    )


def _indexes(contract: Contract) -> list[Index]:
    """What questions of BI need besides the primary key.

    Dates of a fact that grows lie together on the disk: a few pages say where, and a question about a week of a month's
    partition reads that week. Contacts have no case in their key.
    """
    found = []
    if contract.grows:
        name, options = f"{contract.mart}_dates", {"autosummarize": True}
        found.append(Index(name, "business_date", postgresql_using="brin", postgresql_with=options))
    if contract.mart == "fct_contact_attempt":
        found.append(Index(f"{contract.mart}_case", "portfolio", "case_id", "business_date"))
    return found


def _staging(contract: Contract) -> Table:
    """The same columns without a key: the audit names duplicates, where a constraint would only refuse them."""
    return Table(
        contract.mart,
        metadata,
        *_columns(contract),
        Column("publication_id", Text, nullable=False, comment="Publication that staged the row"),
        schema="stg",
        prefixes=["UNLOGGED"],
        comment=f"Rows on their way to mart.{contract.mart}.",
    )


MART: dict[str, Table] = {contract.table: _mart(contract) for contract in FACTS}
STG: dict[str, Table] = {contract.table: _staging(contract) for contract in FACTS}

PUBLISH_LEDGER = Table(
    "publish_ledger",
    metadata,
    Column("publication_id", Uuid, primary_key=True, comment="Chosen before the transaction, to find it again"),
    Column("sequence", BigInteger, Identity(always=True), nullable=False, comment="Order; the newest is current"),
    Column("portfolio", Text, nullable=False, comment="Portfolio folder name"),
    Column("business_date", Date, nullable=False, comment="The day that is worked"),
    Column("content_hash", Text, nullable=False, comment="Over the content hashes of every published lake table"),
    Column("contract_versions", JSONB, nullable=False, comment="Contract version by fact"),
    Column("control_totals", JSONB, nullable=False, comment="Rows and sums by fact, as audited in staging"),
    Column("inputs", JSONB, nullable=False, comment="Content hash by published lake table"),
    Column("known_until", INSTANT, nullable=True, comment="Instant up to which feedback was known"),
    Column("released_contacts", Integer, nullable=True, comment="Put in the outbox; NULL: may not be sent"),
    Column("run_ref", Text, nullable=False, comment="The run, for people"),
    Column("published_at", INSTANT, nullable=False, server_default=text("now()"), comment="When"),
    Index("publish_ledger_newest", "portfolio", "business_date", "sequence", unique=True),
    schema="ops",
    comment="Every publication of a portfolio's business date; a date may return to an earlier content.",
)

DATA_FRESHNESS = Table(
    "data_freshness",
    metadata,
    Column("dataset", Text, primary_key=True, comment="Fact table"),
    Column("portfolio", Text, primary_key=True, comment="Portfolio folder name"),
    Column("business_date", Date, primary_key=True, comment="The day that is worked"),
    Column("status_code", Text, nullable=False, comment="published; restated when it replaced another content"),
    Column("published_at", INSTANT, nullable=False, comment="When this content was published"),
    Column("rows", BigInteger, nullable=False, comment="Rows published"),
    Column("load_id", Text, nullable=False, comment="Making of the lake partition"),
    Column("content_hash", Text, nullable=False, comment="Content hash of the lake partition"),
    Column("contract_version", Integer, nullable=False, comment="Raised when a column changes meaning"),
    schema="ops",
    comment="What is published: one row per fact, portfolio and business date.",
)

RUN_LEDGER = Table(
    "run_ledger",
    metadata,
    Column("entry_id", BigInteger, Identity(always=True), primary_key=True, comment="Order of entries"),
    Column("portfolio", Text, nullable=False, comment="Portfolio folder name"),
    Column("business_date", Date, nullable=True, comment="The day that is worked; NULL when the run had none"),
    Column("run_ref", Text, nullable=False, comment="The run"),
    Column("task", Text, nullable=False, comment="Task of the run; empty for the run itself"),
    Column("state_code", Text, nullable=False, comment="started, finished or failed"),
    Column("error_code", Text, nullable=True, comment="Code of the failure"),
    Column("message", Text, nullable=True, comment="What happened, without row values"),
    Column("runbook", Text, nullable=True, comment="Page that says what to do"),
    Column("at", INSTANT, nullable=False, server_default=text("clock_timestamp()"), comment="When it was written"),
    Index("run_ledger_day", "portfolio", "business_date", "entry_id"),
    schema="ops",
    comment="What runs and tasks said of themselves, appended only; started and never finished means killed.",
)

RUN_STEP = Table(
    "run_step",
    metadata,
    Column("portfolio", Text, primary_key=True, comment="Portfolio folder name"),
    Column("run_ref", Text, primary_key=True, comment="The run"),
    Column("task", Text, primary_key=True, comment="Task of the run"),
    Column("table_name", Text, primary_key=True, comment="Table of the lake, or fact of the warehouse"),
    Column("direction_code", Text, primary_key=True, comment="in: read by the task; out: written by it"),
    Column("business_date", Date, nullable=False, comment="The day that is worked"),
    Column("rows", BigInteger, nullable=False, comment="Rows; so far, while the task is at work on them"),
    Column("rejected", BigInteger, nullable=True, comment="Rows set aside by validation; NULL: it is no validation"),
    Column("is_done", Boolean, nullable=False, comment="Whether the task has ended with them"),
    Column("content_hash", Text, nullable=True, comment="Of the lake partition; NULL until it is done"),
    Column("seconds", BigInteger, nullable=True, comment="What the whole task took; NULL until it is done"),
    Column("at", INSTANT, nullable=False, server_default=text("clock_timestamp()"), comment="When it was written"),
    Index("run_step_day", "portfolio", "business_date"),
    schema="ops",
    comment="Rows in and out of every step of a run, as its last try told; also how far a long step is.",
)

# Who must not be contacted twice: the human over portfolios, or the portfolio's borrower where nobody knows the human.
PERSON_KEY = "COALESCE(person_id, portfolio || '/' || borrower_id)"

NOTIFICATION = Table(
    "notification",
    metadata,
    Column("step_key", Text, primary_key=True, comment="Hash of person, case, step, occurrence: one contact ever"),
    Column("portfolio", Text, nullable=False, comment="Portfolio folder name"),
    Column("case_id", Text, nullable=False, comment="Case"),
    Column("borrower_id", Text, nullable=False, comment="party_id of the main borrower"),
    Column("person_id", Text, nullable=True, comment="Same human over portfolios; NULL when the source does not say"),
    Column("business_date", Date, nullable=False, comment="The day it was planned for"),
    Column("step_id", Text, nullable=False, comment="Stable id of the strategy's step"),
    Column("channel_code", Text, nullable=False, comment="Channel planned"),
    Column("contact_point_id", Text, nullable=False, comment="Point planned; its value stays in the vault"),
    Column("template_code", Text, nullable=False, comment="Template of the step"),
    Column("language", Text, nullable=False, comment="BCP 47 language"),
    Column("not_before_at", INSTANT, nullable=False, comment="Earliest lawful instant"),
    Column("not_after_at", INSTANT, nullable=False, comment="First instant too late"),
    Column(
        "state_code", Text, nullable=False, comment="Where it stands; ops.notification_event says how it came there"
    ),
    Column("created_at", INSTANT, nullable=False, server_default=text("now()"), comment="When it was planned"),
    Column("purpose_code", Text, nullable=False, server_default="collection", comment="Purpose of the step"),
    Column("strategy", Text, nullable=False, server_default="", comment="Strategy and version that planned it"),
    Column("loan_ids", ARRAY(Text), nullable=False, server_default="{}", comment="Loans it is about"),
    Column("currency", Text, nullable=False, server_default="", comment="ISO 4217 code of its amount"),
    Column("person_key", Text, Computed(PERSON_KEY, persisted=True), comment="Who must not be contacted twice"),
    Column("attempt_no", Integer, nullable=False, server_default="0", comment="Attempts begun; each is one intent"),
    Column("contacted_on", Date, nullable=True, comment="Person's date of an attempt that did, or may have, reached"),
    Column("claim_id", Uuid, nullable=True, comment="The claim at work; only its holder may write the outcome"),
    Column("claim_expires_at", INSTANT, nullable=True, comment="When the claim at work has surely ended"),
    Column("payload_hash", Text, nullable=True, comment="SHA-256 of what the last attempt said"),
    Column("provider_code", Text, nullable=True, comment="Who was asked to deliver the last attempt"),
    Column("provider_reference", Text, nullable=True, comment="What the provider calls it"),
    Column("delivery_code", Text, nullable=True, comment="What became of a sent one; NULL while nobody said"),
    Column("next_try_at", INSTANT, nullable=True, comment="Not to be claimed before; NULL: no wait"),
    Column("reference", Text, nullable=True, comment="Our name for the last attempt"),
    Column("reason_code", Text, nullable=False, server_default="planned", comment="Why it stands there, in code words"),
    Column("approval_id", Uuid, nullable=True, comment="Question it waits for, or waited; NULL: nobody was asked"),
    Column(
        "ways",
        JSONB,
        nullable=False,
        server_default="[]",
        comment="Channels and points to be used should this one refuse for good, in order, with their windows",
    ),
    Column("changed_by", Text, nullable=False, server_default="publish", comment="Who brought it there"),
    Column("changed_at", INSTANT, nullable=False, server_default=text("clock_timestamp()"), comment="When"),
    Index("notification_day", "portfolio", "business_date"),
    Index(
        "notification_due",
        "channel_code",
        "not_after_at",
        "step_key",
        postgresql_where=text("state_code IN ('planned', 'rejected_retryable')"),
    ),
    Index(
        "notification_unsettled",
        "channel_code",
        postgresql_where=text("state_code IN ('claimed', 'unknown')"),
    ),
    Index(
        "notification_person_day",
        "person_key",
        "contacted_on",
        unique=True,
        postgresql_where=text("contacted_on IS NOT NULL"),
    ),
    Index(
        "notification_person",
        "person_key",
        "business_date",
        postgresql_where=text("state_code IN ('claimed', 'sent', 'unknown')"),
    ),
    Index("notification_tried_again", "channel_code", postgresql_where=text("attempt_no > 1")),
    Index("notification_reference", "reference", postgresql_where=text("reference IS NOT NULL")),
    Index(
        "notification_provider_reference",
        "provider_reference",
        postgresql_where=text("provider_reference IS NOT NULL"),
    ),
    schema="ops",
    comment="Outbox: one row per step and, by a unique index, one contact per person and day.",
)

NOTIFICATION_EVENT = Table(
    "notification_event",
    metadata,
    Column("event_id", BigInteger, Identity(always=True), primary_key=True, comment="Order of events"),
    Column("step_key", Text, nullable=False, comment="Which row of the outbox"),
    Column("portfolio", Text, nullable=False, comment="Portfolio folder name"),
    Column("at", INSTANT, nullable=False, server_default=text("clock_timestamp()"), comment="When"),
    Column("from_state_code", Text, nullable=True, comment="State before; NULL when the row was made"),
    Column("state_code", Text, nullable=False, comment="State after"),
    Column("delivery_code", Text, nullable=True, comment="What became of a sent one; NULL while nobody said"),
    Column("attempt_no", Integer, nullable=False, comment="Attempt it is about; 0 before the first"),
    Column("channel_code", Text, nullable=False, comment="Channel of the attempt"),
    Column("payload_hash", Text, nullable=True, comment="SHA-256 of what the attempt said"),
    Column("provider_code", Text, nullable=True, comment="Who was asked to deliver"),
    Column("provider_reference", Text, nullable=True, comment="What the provider calls it"),
    Column("reason_code", Text, nullable=False, comment="Why, in code words"),
    Column("actor", Text, nullable=False, comment="Who"),
    Column("contact_point_id", Text, nullable=True, comment="Point of the attempt; NULL: of before it was noted"),
    Index("notification_event_step", "step_key", "event_id"),
    Index("notification_event_dead", "at", postgresql_where=text("reason_code = 'address_dead'")),
    schema="ops",
    comment="Every state an outbox row ever had; written by a trigger, appended only.",
)

OUTBOX_STOP = Table(
    "outbox_stop",
    metadata,
    Column("stop_id", BigInteger, Identity(always=True), primary_key=True, comment="Number, for `outbox start`"),
    Column(
        "scope_code", Text, nullable=False, comment="all, portfolio, region, product, channel, template, agency, list"
    ),
    Column("scope_value", Text, nullable=False, comment="Which; empty for all"),
    Column("reason", Text, nullable=False, comment="Why, in the author's words"),
    Column("started_at", INSTANT, nullable=False, server_default=text("clock_timestamp()"), comment="Since when"),
    Column("started_by", Text, nullable=False, comment="Who stopped"),
    Column("ended_at", INSTANT, nullable=True, comment="Until when; NULL while it holds"),
    Column("ended_by", Text, nullable=True, comment="Who let go on; NULL while it holds"),
    schema="ops",
    comment="Stops of sending that people have set; each is asked about before every message.",
)

OUTBOX_DAY = Table(
    "outbox_day",
    metadata,
    Column("channel_code", Text, primary_key=True, comment="Channel"),
    Column("on_date", Date, primary_key=True, comment="Date in UTC"),
    Column("attempts", BigInteger, nullable=False, comment="Attempts begun; counted where a daily cap is set"),
    schema="ops",
    comment="Counter behind a channel's daily cap; every claim of the channel locks it.",
)

RECEIPT = Table(
    "receipt",
    metadata,
    Column("provider_code", Text, primary_key=True, comment="Whose receipt"),
    Column("delivery_id", Text, primary_key=True, comment="The request or file it came in, by its bytes"),
    Column("row_number", Integer, primary_key=True, autoincrement=False, comment="Which of it, from 1"),
    Column("provider_reference", Text, nullable=True, comment="What the provider calls the message"),
    Column("reference", Text, nullable=True, comment="What we call it"),
    Column("status_code", Text, nullable=False, comment="accepted, delivered, read, failed, bounced, invalid"),
    Column(
        "outcome_code",
        Text,
        nullable=False,
        comment="open: to be looked at; taken; known: no news; unmatched: of no message",
    ),
    Column("received_at", INSTANT, nullable=False, server_default=text("clock_timestamp()"), comment="When"),
    Index("receipt_open", "received_at", postgresql_where=text("outcome_code IN ('open', 'unmatched')")),
    schema="ops",
    comment="What providers said of our messages, as it came; a message may become known after its receipt.",
)

AUDIT_ENTRY = Table(
    "audit_entry",
    metadata,
    Column("entry_no", BigInteger, primary_key=True, autoincrement=False, comment="Gap-free, from 1"),
    Column("at", INSTANT, nullable=False, comment="When"),
    Column("actor", Text, nullable=False, comment="Who did it"),
    Column("action", Text, nullable=False, comment="What was done, in code words"),
    Column("subject", Text, nullable=False, comment="To what: an identifier, never a name or an address"),
    Column("reason", Text, nullable=False, comment="Why, in the actor's words"),
    Column("before", JSONB, nullable=True, comment="How it was; NULL when it was not there"),
    Column("after", JSONB, nullable=True, comment="How it is; NULL when it is gone"),
    Column("previous_hash", Text, nullable=False, comment="entry_hash of the entry before; empty for the first"),
    Column("entry_hash", Text, nullable=False, comment="SHA-256 over this entry and previous_hash"),
    schema="ops",
    comment="What people did by hand, each entry chained to the one before; appended only.",
)

CONTACT_VALUE = Table(
    "contact_value",
    metadata,
    Column("portfolio", Text, primary_key=True, comment="Portfolio folder name"),
    Column("contact_point_id", Text, primary_key=True, comment="Contact point identifier of the source"),
    Column("valid_from_at", INSTANT, primary_key=True, comment="Since when it was known"),
    Column("valid_to_at", INSTANT, nullable=True, comment="Until when; NULL: it still is"),
    Column("subject", Text, nullable=False, comment="Whose data key it is sealed under"),
    Column("sealed", LargeBinary, nullable=False, comment="Number, address or token, sealed"),
    schema="vault",
    comment="Numbers and addresses by contact point, with their time. Restricted.",
)

DATA_KEY = Table(
    "data_key",
    metadata,
    Column("portfolio", Text, primary_key=True, comment="Portfolio folder name"),
    Column("subject", Text, primary_key=True, comment="Whose values: party:ID, point:ID, delivery:ID, day:DATE"),
    Column("key_version", Integer, nullable=False, comment="Master key that it is sealed under"),
    Column("sealed_key", LargeBinary, nullable=False, comment="Data key, sealed; destroyed, its values are noise"),
    Column("made_at", INSTANT, nullable=False, server_default=text("now()"), comment="When"),
    schema="vault",
    comment="One key for each subject; whoever deletes a row has erased what was sealed under it. Restricted.",
)

ERASED = Table(
    "erased",
    metadata,
    Column("portfolio", Text, primary_key=True, comment="Portfolio folder name"),
    Column("subject_mac", Text, primary_key=True, comment="HMAC of the subject: names nobody, and is found again"),
    Column("erased_at", INSTANT, nullable=False, server_default=text("now()"), comment="When"),
    schema="vault",
    comment="Subjects that get no data key again, whatever is rerun or loaded.",
)

LEGAL_HOLD = Table(
    "legal_hold",
    metadata,
    Column(
        "hold_id", BigInteger, Identity(always=True), primary_key=True, comment="Number, for `arrears privacy end-hold`"
    ),
    Column("portfolio", Text, nullable=False, comment="Portfolio folder name"),
    Column("party_id", Text, nullable=False, comment="Party whose records must stay"),
    Column("reason", Text, nullable=False, comment="Why, in the author's words"),
    Column("started_by", Text, nullable=False, comment="Who"),
    Column("started_at", INSTANT, nullable=False, server_default=text("clock_timestamp()"), comment="Since when"),
    Column("ended_by", Text, nullable=True, comment="Who ended it; NULL while it holds"),
    Column("ended_at", INSTANT, nullable=True, comment="Until when; NULL while it holds"),
    schema="ops",
    comment="Parties whose records must not be erased, whatever their term.",
)

REJECTED_ROW = Table(
    "rejected_row",
    metadata,
    Column("portfolio", Text, primary_key=True, comment="Portfolio folder name"),
    Column("business_date", Date, primary_key=True, comment="The day that is worked"),
    Column("table_name", Text, primary_key=True, comment="Ledger table"),
    Column("row_number", BigInteger, primary_key=True, autoincrement=False, comment="Ordinal in the extract, from 1"),
    Column("rule_id", Text, primary_key=True, comment="Rule it offends"),
    Column("source_file", Text, nullable=True, comment="File or SELECT"),
    Column("source_line", BigInteger, nullable=True, comment="Line in the file, or ordinal in the SELECT's result"),
    Column("delivered", LargeBinary, nullable=False, comment="The row as delivered, JSON, sealed; may hold anything"),
    Column("kept_at", INSTANT, nullable=False, server_default=text("now()"), comment="When it was kept"),
    schema="vault",
    comment="Rejected ledger rows with their delivered values. Restricted.",
)

PSEUDONYM_KEY = Table(
    "pseudonym_key",
    metadata,
    Column("lender", Text, primary_key=True, comment="Whose borrowers it hides"),
    Column("key_version", Integer, primary_key=True, autoincrement=False, comment="From 1; the highest is in use"),
    Column("inner_pad", LargeBinary, nullable=False, comment="Key of HMAC-SHA-256, XORed with its inner constant"),
    Column("outer_pad", LargeBinary, nullable=False, comment="Key of HMAC-SHA-256, XORed with its outer constant"),
    Column("made_at", INSTANT, nullable=False, server_default=text("now()"), comment="When"),
    schema="vault",
    comment="Keys by which borrowers are hashed in bi: whoever knows one can tell a borrower. Never shown.",
)

LENDER_OF = Table(
    "lender_of",
    metadata,
    Column("portfolio", Text, primary_key=True, comment="Portfolio folder name"),
    Column("lender", Text, nullable=False, comment="Its lender: portfolios of one lender have one key"),
    schema="vault",
    comment="Which lender a portfolio belongs to, as it said when it was published last.",
)

GROUP_MEMBER = Table(
    "group_member",
    metadata,
    Column("portfolio", Text, primary_key=True, comment="Portfolio folder name"),
    Column("party_id", Text, primary_key=True, comment="Party of the source", info={"pii": PiiClass.PSEUDONYM.value}),
    Column(
        "attribute_code", Text, primary_key=True, comment="By what groups are told apart: age_band, sex, region ..."
    ),
    Column("group_code", Text, nullable=False, comment="The party's group"),
    Column("loaded_at", INSTANT, nullable=False, server_default=text("now()"), comment="When this was loaded"),
    schema="vault",
    comment="Who belongs to which group, for the parity report and nothing else. Restricted.",
)
