"""What a contract is: one frozen value per table, from which checks, suites, DDL comments and docs are compiled.

Belongs here: the shape of contracts. The tables themselves stand in ``ledger``, ``core`` and ``out``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ColumnType(StrEnum):
    """The types a contract column may have; the value is the DuckDB name. There is no float on purpose."""

    TEXT = "VARCHAR"
    BIGINT = "BIGINT"
    INTEGER = "INTEGER"
    BOOLEAN = "BOOLEAN"
    DATE = "DATE"
    INSTANT = "TIMESTAMP WITH TIME ZONE"


class PiiClass(StrEnum):
    """How a column relates to a person."""

    NONE = "none"
    PSEUDONYM = "pseudonym"  # an identifier of the source system: links, but names nobody by itself


class Severity(StrEnum):
    """What an offending row means."""

    FAIL = "fail"  # the row goes to quarantine, and contact stops about whom it speaks of
    HOLD = "hold"  # the row goes on, and contact about it stops: what it says does not agree with other rows
    WARN = "warn"  # the row is counted and goes on; the check says why it may not stop the line


@dataclass(frozen=True)
class Column:
    """One column: type, meaning (with unit) and class.

    Attributes:
        name: Unit in the suffix: ``_minor`` money, ``_days``, ``_on`` dates, ``_at`` UTC instants,
            ``_code`` closed lists.
        type: Contract type.
        meaning: One sentence; becomes the DDL comment and the dictionary entry.
        nullable: Whether NULL is a legal value.
        codes: Closed list of a ``_code`` column; empty when open.
        pii: How the column relates to a person.
    """

    name: str
    type: ColumnType
    meaning: str
    nullable: bool = False
    codes: tuple[str, ...] = ()
    pii: PiiClass = PiiClass.NONE


@dataclass(frozen=True)
class Check:
    """A row rule, written as the condition that is TRUE for an offender.

    Attributes:
        rule: Stable id, e.g. ``loan.principal_positive``.
        column: The column to show beside the offender.
        offends: DuckDB boolean expression over the table's columns and, where given, ``$currency``,
            ``$business_date`` and ``$closing_date``.
        severity: ``fail`` or ``warn``.
        reason: Why the rule exists; for ``warn``, why it may not stop the line.
    """

    rule: str
    column: str
    offends: str
    severity: Severity
    reason: str


@dataclass(frozen=True)
class Reference:
    """A foreign key: ``columns`` must exist in ``table`` (its key columns, same order). NULLs pass."""

    columns: tuple[str, ...]
    table: str


@dataclass(frozen=True)
class Contract:
    """One table.

    Attributes:
        table: ``{raw|core|out}__{noun}``.
        grain: Words.
        key: Columns that are unique together within a portfolio and business date.
        columns: All but the standard ones (``STANDARD_COLUMNS``), in order.
        meaning: One sentence.
        owner: The layer that writes it.
        checks: Row rules.
        references: Foreign keys.
        may_be_empty: Whether zero rows are legal.
        required: Ledger tables only: whether every portfolio must map it.
        totals: Money or count columns whose sums stand in the manifest and are reconciled.
        mart: Name of the fact table it is published as, or "".
        mart_rows: DuckDB condition that selects the published rows.
        grows: Whether its rows grow with the book: the fact is then partitioned by month of the business date.
        version: Raised when a column is removed, retyped or changes meaning.
    """

    table: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    meaning: str
    owner: str
    checks: tuple[Check, ...] = ()
    references: tuple[Reference, ...] = ()
    may_be_empty: bool = True
    required: bool = False
    totals: tuple[str, ...] = ()
    mart: str = ""
    mart_rows: str = "TRUE"
    grows: bool = False
    version: int = 1

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """Standard columns first, then the table's own."""
        return STANDARD_COLUMNS + self.columns

    @property
    def noun(self) -> str:
        """The name without its layer: ``loan`` of ``raw__loan``."""
        return self.table.split("__", 1)[1]

    def column(self, name: str) -> Column:
        """The column of that name.

        Raises:
            KeyError: There is none.
        """
        return {column.name: column for column in self.all_columns}[name]


STANDARD_COLUMNS = (
    Column("portfolio", ColumnType.TEXT, "Portfolio folder name"),
    Column("business_date", ColumnType.DATE, "The day that is worked, in the portfolio's time zone"),
)


def text(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """A text column."""
    return Column(name, ColumnType.TEXT, meaning, nullable)


def pseudonym(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """An identifier of the source system that links to a person but names nobody."""
    return Column(name, ColumnType.TEXT, meaning, nullable, pii=PiiClass.PSEUDONYM)


def code(name: str, meaning: str, codes: tuple[str, ...] = (), *, nullable: bool = False) -> Column:
    """A closed list of codes; without ``codes`` the list is the portfolio's own configuration."""
    return Column(name, ColumnType.TEXT, meaning, nullable, codes)


def minor(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """An amount in integer minor units of the row's currency."""
    return Column(name, ColumnType.BIGINT, meaning, nullable)


def count(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """A whole number of things."""
    return Column(name, ColumnType.BIGINT, meaning, nullable)


def days(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """A whole number of days, sequence numbers or minutes."""
    return Column(name, ColumnType.INTEGER, meaning, nullable)


def on(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """A date in the portfolio's time zone."""
    return Column(name, ColumnType.DATE, meaning, nullable)


def at(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """A UTC instant."""
    return Column(name, ColumnType.INSTANT, meaning, nullable)


def flag(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """A yes/no column."""
    return Column(name, ColumnType.BOOLEAN, meaning, nullable)
