"""The source system's tables, as the demo fills them: schema ``core_banking``.

Belongs here: their columns, once, as Arrow types and as PostgreSQL DDL. A row says when it became known
(``..._on`` of booking, in local days), so that the ledger can be read as it stood at any close.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

SCHEMA = "core_banking"
TEXT, MONEY, WHOLE, DAY, YES = pa.string(), pa.int64(), pa.int32(), pa.date32(), pa.bool_()
INSTANT = pa.timestamp("us", tz="UTC")
POSTGRESQL = {TEXT: "text", MONEY: "bigint", WHOLE: "integer", DAY: "date", YES: "boolean", INSTANT: "timestamptz"}


@dataclass(frozen=True)
class SourceTable:
    """One table of the source system.

    Attributes:
        name: Its name in ``core_banking``.
        columns: Type by column.
        indexes: Columns of each index; none is unique, for a source may deliver anything.
        comment: What stands in it.
    """

    name: str
    columns: dict[str, pa.DataType]
    indexes: tuple[tuple[str, ...], ...]
    comment: str

    @property
    def arrow(self) -> pa.Schema:
        """Its Arrow schema."""
        return pa.schema(list(self.columns.items()))

    @property
    def create(self) -> list[str]:
        """``CREATE TABLE`` and its comment, for PostgreSQL."""
        columns = ", ".join(f"{name} {POSTGRESQL[kind]}" for name, kind in self.columns.items())
        return [
            f"CREATE TABLE {SCHEMA}.{self.name} ({columns})",
            f"COMMENT ON TABLE {SCHEMA}.{self.name} IS '{self.comment}'",
        ]

    @property
    def create_indexes(self) -> list[str]:
        """``CREATE INDEX`` statements."""
        return [f"CREATE INDEX ON {SCHEMA}.{self.name} ({', '.join(columns)})" for columns in self.indexes]


def _source(name: str, comment: str, *indexes: tuple[str, ...], **columns: pa.DataType) -> SourceTable:
    return SourceTable(name, columns, indexes, comment)


SOURCE = (
    _source(
        "loan_account",
        "Loans as granted",
        ("loan_no",),
        loan_no=TEXT,
        customer_no=TEXT,
        product=TEXT,
        currency=TEXT,
        principal_minor=MONEY,
        disbursed_on=DAY,
        maturity_on=DAY,
        grace_days=WHOLE,
    ),
    _source(
        "loan_state",
        "Status and balance of each loan from one close until the day before the next row",
        ("loan_no", "valid_from"),
        loan_no=TEXT,
        valid_from=DAY,
        valid_to=DAY,
        status=TEXT,
        status_on=DAY,
        outstanding_principal_minor=MONEY,
    ),
    _source(
        "arrears_list",
        "Loans past due at a close, as the system itself counts them for the business date after it",
        ("closed_on", "loan_no"),
        loan_no=TEXT,
        closed_on=DAY,
        past_due_days=WHOLE,
        past_due_minor=MONEY,
    ),
    _source(
        "repayment_plan",
        "Contractual schedule",
        ("loan_no", "period_no"),
        loan_no=TEXT,
        period_no=WHOLE,
        due_on=DAY,
        principal_minor=MONEY,
        interest_minor=MONEY,
        fee_minor=MONEY,
        known_on=DAY,
    ),
    _source(
        "penalty",
        "Penalties assessed on late instalments, one at most each",
        ("loan_no", "period_no"),
        loan_no=TEXT,
        period_no=WHOLE,
        assessed_on=DAY,
        amount_minor=MONEY,
    ),
    _source(
        "posting",
        "Everything booked on the loans",
        ("loan_no", "effective_on"),
        ("booked_on",),
        posting_no=TEXT,
        loan_no=TEXT,
        kind=TEXT,
        effective_on=DAY,
        booked_on=DAY,
        booked_at=INSTANT,
        amount_minor=MONEY,
        reverses_no=TEXT,
    ),
    _source(
        "payment_pause",
        "Lawful deferrals; the end may be booked later than the start",
        ("loan_no",),
        loan_no=TEXT,
        starts_on=DAY,
        ends_on=DAY,
        reason=TEXT,
        booked_on=DAY,
        end_booked_on=DAY,
    ),
    _source(
        "customer",
        "Parties by number, without names",
        ("customer_no",),
        customer_no=TEXT,
        person_ref=TEXT,
        is_minor=YES,
        language=TEXT,
        known_on=DAY,
    ),
    _source(
        "loan_role",
        "Who stands in which role to which loan",
        ("loan_no",),
        ("customer_no",),
        loan_no=TEXT,
        customer_no=TEXT,
        role=TEXT,
        is_obligor=YES,
        known_on=DAY,
    ),
    _source(
        "contact_point",
        "Where parties may be reached, without the number or address",
        ("customer_no",),
        point_no=TEXT,
        customer_no=TEXT,
        kind=TEXT,
        timezone=TEXT,
        place=TEXT,
        verified_at=INSTANT,
        invalid_from=INSTANT,
        known_on=DAY,
        invalid_known_on=DAY,
    ),
    _source(
        "consent",
        "Who agreed to be contacted how",
        ("customer_no",),
        consent_no=TEXT,
        customer_no=TEXT,
        channel=TEXT,
        purpose=TEXT,
        scope=TEXT,
        point=TEXT,
        given_at=INSTANT,
        expires_at=INSTANT,
        revoked_at=INSTANT,
        known_on=DAY,
        revoked_known_on=DAY,
    ),
    _source(
        "account_flag",
        "Facts that hold for a customer, a loan or a contact point",
        ("known_on",),
        flag_no=TEXT,
        flag=TEXT,
        customer_no=TEXT,
        loan_no=TEXT,
        point_no=TEXT,
        starts_at=INSTANT,
        ends_at=INSTANT,
        known_on=DAY,
        end_known_on=DAY,
    ),
    _source(
        "contact_log",
        "Contact attempts",
        ("known_on",),
        ("customer_no",),
        contact_no=TEXT,
        customer_no=TEXT,
        point_no=TEXT,
        channel=TEXT,
        direction=TEXT,
        purpose=TEXT,
        started_at=INSTANT,
        outcome=TEXT,
        known_on=DAY,
    ),
    _source(
        "promise",
        "Promises to pay, made in contacts",
        ("known_on",),
        ("loan_no",),
        promise_no=TEXT,
        loan_no=TEXT,
        contact_no=TEXT,
        agent_no=TEXT,
        made_at=INSTANT,
        amount_minor=MONEY,
        currency=TEXT,
        due_on=DAY,
        payment_channel=TEXT,
        known_on=DAY,
    ),
    _source(
        "agent_roster",
        "Shifts of the collection agents, published a week ahead",
        ("shift_on",),
        agent_no=TEXT,
        shift_on=DAY,
        queues=TEXT,
        languages=TEXT,
        productive_minutes=WHOLE,
    ),
    _source(
        "work_queue",
        "Queues and their handling times",
        queue_no=TEXT,
        work_mode=TEXT,
        avg_handle_seconds=WHOLE,
        attempts_per_case=WHOLE,
    ),
    _source(
        "control_total",
        "Totals of the books at each close",
        ("closing_on",),
        closing_on=DAY,
        table_name=TEXT,
        measure=TEXT,
        amount=MONEY,
    ),
    _source("daily_close", "Days that are closed", ("closing_on",), closing_on=DAY, closed_at=INSTANT),
)
TABLES = {table.name: table for table in SOURCE}
MARKER = SourceTable(
    "demo_ledger",
    {"identity": TEXT, "made_at": INSTANT},
    (),
    "The arguments this schema was filled with; an equal call leaves it as it is",
)
