"""What every ledger table has, and the checks that several share: how one ``raw__`` contract is made.

Every ``raw__`` table also carries ``source_file`` and ``source_line`` so that any figure can be walked back.
"""

from __future__ import annotations

from arrears.contracts.model import Check, Column, Contract, Reference, Severity, minor, text

LINEAGE = (
    Column("source_file", text("", "").type, "File or SELECT the row came from", nullable=True),
    Column("source_line", minor("", "").type, "Line in that file, or ordinal in that SELECT's result", nullable=True),
)

FIRST_DAY, LAST_DAY = "1950-01-01", "2199-12-31"
LARGEST_MINOR = 10**15  # no debt of a person; sums of thousands of these still fit 64 bits


def fail(rule: str, column: str, offends: str, reason: str) -> Check:
    """A check whose offenders are rejected."""
    return Check(rule, column, offends, Severity.FAIL, reason)


def warn(rule: str, column: str, offends: str, reason: str) -> Check:
    """A check whose offenders are told, and go on."""
    return Check(rule, column, offends, Severity.WARN, reason)


def hold(rule: str, column: str, offends: str, reason: str) -> Check:
    """A check whose offenders are aged, and not contacted."""
    return Check(rule, column, offends, Severity.HOLD, reason)


def in_range(noun: str, *columns: str) -> Check:
    """Amounts that 64 bits hold one by one, but not summed, would end the whole day."""
    largest = f"greatest({', '.join(f'coalesce({column}, 0)' for column in columns)})"
    offends = f"{largest if len(columns) > 1 else columns[0]} > {LARGEST_MINOR}"
    return fail(f"{noun}.amounts_in_range", columns[0], offends, "what cannot be summed cannot be aged")


def of_our_time(noun: str, column: str) -> Check:
    """Systems write 0001-01-01 and 9999-12-31 where they know no date: aged, these are millennia late, or never due."""
    offends = f"{column} NOT BETWEEN DATE '{FIRST_DAY}' AND DATE '{LAST_DAY}'"
    return fail(f"{noun}.{column}_of_our_time", column, offends, "a date that stands for none is no date")


def raw(  # noqa: PLR0913  a contract is its parts
    noun: str,
    grain: str,
    key: tuple[str, ...],
    columns: tuple[Column, ...],
    meaning: str,
    *,
    checks: tuple[Check, ...] = (),
    references: tuple[Reference, ...] = (),
    may_be_empty: bool = True,
    required: bool = False,
    totals: tuple[str, ...] = (),
) -> Contract:
    """The contract of a ledger table, owned by the sources."""
    return Contract(
        table=f"raw__{noun}",
        grain=grain,
        key=key,
        columns=columns + LINEAGE,
        meaning=meaning,
        owner="sources",
        checks=checks,
        references=references,
        may_be_empty=may_be_empty,
        required=required,
        totals=totals,
    )
