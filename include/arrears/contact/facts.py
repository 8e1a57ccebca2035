"""What the day's plan knows, as the relations that ``contact.set_policy`` reads.

Belongs here: making them, from the ``sql/read__contact_*.sql`` files or from rows. A table the portfolio does not
deliver is not known, which denies; an empty one is nothing known against the person.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from arrears.contact.coding import TEXT, table_of
from arrears.engine.duckdb import select_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    import duckdb

    from arrears.rules.hours import Span

KINDS_OF_POINT = {
    "sms": ("mobile",),
    "call": ("mobile", "landline"),
    "voice_bot": ("mobile", "landline"),
    "voicemail_drop": ("mobile", "landline"),
    "email": ("email",),
    "push": ("push",),
    "chat": ("push",),
    "letter": ("postal",),
    "visit": ("postal",),
}
AT = pa.timestamp("us", tz="UTC")
PLANNED = pa.schema(
    [
        ("person_id", TEXT),
        ("started_at", AT),
        ("channel", TEXT),
        ("outcome", TEXT),
        ("direction", TEXT),
        ("party", TEXT),
        ("party_id", TEXT),
        ("place", TEXT),
        ("purpose", TEXT),
        ("contact_point_id", TEXT),
        ("collector", TEXT),
        ("debts", pa.list_(TEXT)),
    ]
)


@dataclass(frozen=True)
class Known:
    """What the portfolio delivers at all, and the public holidays where its people are."""

    flags: bool = True
    history: bool = True
    consents: bool = True
    holidays: frozenset[date] = field(default_factory=frozenset)


def name_people(
    connection: duckdb.DuckDBPyConnection, people: Iterable[tuple[str, str]], loans: Iterable[tuple[str, str]]
) -> None:
    """Make ``due_person`` and ``due_loan``: whom and what the facts are read for.

    Args:
        connection: With ``raw__party``.
        people: person_id (or borrower_id where nobody knows it) and borrower_id.
        loans: The same, and loan_id.
    """
    for name, columns, rows in (
        ("due_case", ("person_id", "borrower_id"), people),
        ("due_loan", ("person_id", "loan_id"), loans),
    ):
        connection.register(name, table_of(pa.schema([(column, TEXT) for column in columns]), list(rows)))
    _make(connection, "due_person", "read__due_person")


def make_fact_relations(
    connection: duckdb.DuckDBPyConnection,
    bounds: Span,
    *,
    sources: Sequence[str] = ("ledger", "outbox", "own_outbox", "plan"),
) -> None:
    """Make the facts of everybody in ``due_person`` (person_id, party_id) and ``due_loan`` (person_id, loan_id).

    Args:
        connection: With the tables that ``sql/read__contact_*.sql`` name, empty where they are not delivered.
        bounds: First instant of the business date, and first after it.
        sources: Contacts elsewhere that count: in other ledgers, given out by the outbox for other
            portfolios or for this one, planned elsewhere today.
    """
    start, end = bounds
    _make(connection, "contact_reach", "read__contact_point", {"day_end": end})
    _make(connection, "contact_made", "read__contact_history", {"sources": list(sources)})
    _make(connection, "contact_flag", "read__contact_flag")
    _make(connection, "contact_consent", "read__contact_consent")
    make_derived_relations(connection, start)


def make_derived_relations(connection: duckdb.DuckDBPyConnection, start: datetime) -> None:
    """Make what follows from ``contact_flag`` and ``contact_made``: times called inconvenient, and all contacts.

    Args:
        connection: With both.
        start: First instant of the business date.
    """
    _make(connection, "contact_inconvenient", "read__contact_inconvenient", {"day_start": start})
    kinds = [(channel, kind) for channel, found in KINDS_OF_POINT.items() for kind in found]
    connection.register("channel_kind", table_of(pa.schema([("channel", TEXT), ("kind", TEXT)]), kinds))
    connection.register("contact_planned", PLANNED.empty_table())
    connection.execute(f"CREATE OR REPLACE TEMP VIEW contact_prior AS {select_text('read__contact_prior')}")


def _make(
    connection: duckdb.DuckDBPyConnection, table: str, select: str, parameters: dict[str, Any] | None = None
) -> None:
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {select_text(select)}", parameters or {})
