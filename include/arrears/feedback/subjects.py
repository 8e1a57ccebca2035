"""Whom a report is about: the person behind its loans, party or contact point, by the newest ledger in the lake."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from arrears.engine.duckdb import connect
from arrears.lake import PartitionKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import duckdb

    from arrears.lake import Lake
    from arrears.settings import Settings

LOAN, PARTY, POINT, ROLE = "raw__loan", "raw__party", "raw__contact_point", "raw__loan_party"


@dataclass(frozen=True)
class Subject:
    """Whom a report is about.

    Attributes:
        party_id: Party of the source; None where the ledger names none.
        person_id: Same human over portfolios; None where the source does not say.
    """

    party_id: str | None
    person_id: str | None


@dataclass(frozen=True)
class Stranger:
    """Why it is about nobody.

    Attributes:
        column: The column that names nobody.
        expected: What it must name.
    """

    column: str
    expected: str


@dataclass(frozen=True)
class Known:
    """What the ledger knows of the ids of some reports.

    Attributes:
        borrower_of: party_id of the main borrower by loan.
        currency_of: Currency by loan.
        person_of: Person by party; "" where the source does not say.
        owner_of: party_id by contact point.
        roles: Loans and parties that belong together.
        has_parties: Whether the portfolio delivers parties at all.
    """

    borrower_of: dict[str, str] = field(default_factory=dict)
    currency_of: dict[str, str] = field(default_factory=dict)
    person_of: dict[str, str] = field(default_factory=dict)
    owner_of: dict[str, str] = field(default_factory=dict)
    roles: frozenset[tuple[str, str]] = frozenset()
    has_parties: bool = False

    def subject_of(self, report: Any) -> Subject | Stranger:  # noqa: ANN401  a report of any kind
        """The person a report is about, or what is wrong: an id nobody knows, or things that do not belong together."""
        strangers = [loan for loan in report.loan_ids if loan not in self.borrower_of]
        if strangers:
            return Stranger("loan_ids", "loans of the portfolio's newest ledger")
        if report.contact_point_id is not None and report.contact_point_id not in self.owner_of:
            return Stranger("contact_point_id", "a contact point of the portfolio's newest ledger")
        borrowers = {self.borrower_of[loan] for loan in report.loan_ids}
        owner = self.owner_of.get(report.contact_point_id or "")
        party = report.party_id or owner or min(borrowers, default=None)
        if party is None or (self.has_parties and party not in self.person_of):
            return Stranger("party_id", "a party of the portfolio's newest ledger")
        if owner is not None and owner != party:
            return Stranger("contact_point_id", "a contact point of the party")
        return self._misfit(report, party) or Subject(party, self.person_of.get(party) or None)

    def _misfit(self, report: Any, party: str) -> Stranger | None:  # noqa: ANN401  as above
        """What of a report does not fit the loans it names."""
        for loan in report.loan_ids:
            if self.borrower_of[loan] != party and (loan, party) not in self.roles:
                return Stranger("loan_ids", "loans in which the party stands")
        if report.kind == "promise" and {self.currency_of[loan] for loan in report.loan_ids} != {report.currency}:
            return Stranger("currency", "the currency of its loans: no payment in another one could keep it")
        return None


def known_subjects(settings: Settings, lake: Lake, portfolio: str, reports: Sequence[Any]) -> Known:
    """What the newest ledger in the lake says of the ids that reports name; empty where there is no ledger yet.

    Raises:
        PartitionCorruptError: A file of the ledger was changed.
    """
    newest = max(lake.dates(portfolio, LOAN), default=None)
    if newest is None or not reports:
        return Known()
    loans = {loan for report in reports for loan in report.loan_ids}
    points = {report.contact_point_id for report in reports if report.contact_point_id}
    parties = {report.party_id for report in reports if report.party_id}
    with connect(settings) as connection:
        there = {
            table: _readable(connection, lake, PartitionKey(portfolio, table, newest))
            for table in (LOAN, PARTY, POINT, ROLE)
        }
        borrower_of = dict(_rows(connection, LOAN, "loan_id, borrower_id", "loan_id", loans))
        currency_of = dict(_rows(connection, LOAN, "loan_id, currency", "loan_id", loans))
        owner_of = dict(
            _rows(connection, POINT, "contact_point_id, party_id", "contact_point_id", points, there[POINT])
        )
        roles = frozenset(_rows(connection, ROLE, "loan_id, party_id", "loan_id", loans, there[ROLE]))
        parties |= set(borrower_of.values()) | set(owner_of.values())
        person_of = dict(
            _rows(connection, PARTY, "party_id, coalesce(person_id, '')", "party_id", parties, there[PARTY])
        )
    return Known(borrower_of, currency_of, person_of, owner_of, roles, there[PARTY])


def _readable(connection: duckdb.DuckDBPyConnection, lake: Lake, key: PartitionKey) -> bool:
    if lake.find(key) is None:
        return False
    lake.view(connection, key)
    return True


def _rows(  # noqa: PLR0913, PLR0917  one statement's parts
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: str,
    key: str,
    ids: Iterable[str],
    is_there: bool = True,  # noqa: FBT001, FBT002  as above
) -> list[tuple[str, str]]:
    wanted = sorted(ids)
    if not is_there or not wanted:
        return []
    found = connection.execute(
        f"SELECT {columns} FROM {table} WHERE {key} IN (SELECT unnest($ids))", {"ids": wanted}
    ).fetchall()
    return [(str(first), str(second)) for first, second in found]
