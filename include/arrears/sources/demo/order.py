"""Which ledger is made: equal orders give equal ledgers.

Belongs here: the order alone. Who makes it stands in ``load``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from arrears.errors import ConfigurationError
from arrears.sources.demo.calendar import Calendar, number_of
from arrears.sources.demo.lender import LENDERS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from typing import Self

    from arrears.sources.demo.lender import Lender

GENERATOR_VERSION = 4  # raise it when the same order gives another ledger


@dataclass(frozen=True)
class Order:
    """Which ledger.

    Attributes:
        lender: Whose.
        loans: Number of loans, at least 1.
        seed: Of the random draws.
        dates: Business dates that will be asked about, in order. The first lends begin fourteen months before the
            first of them; the world ends the day before the last.
    """

    lender: Lender
    loans: int
    seed: int
    dates: tuple[date, ...]

    @classmethod
    def of(cls, portfolio: str, *, loans: int, seed: int, dates: Iterable[date]) -> Self:
        """An order by the portfolio's name.

        Raises:
            ConfigurationError: There is no such demo, no loan or no date.
        """
        ordered = tuple(sorted(set(dates)))
        where = f"demo ledger {portfolio}"
        if portfolio not in LENDERS:
            raise ConfigurationError("no demo of that name", f"one of {sorted(LENDERS)}", where)
        if loans < 1:
            raise ConfigurationError(f"{loans} loans", "at least 1", where)
        if not ordered:
            raise ConfigurationError("no business date", "at least one", where)
        return cls(LENDERS[portfolio], loans, seed, ordered)

    @property
    def as_of(self) -> date:
        """The last business date."""
        return self.dates[-1]

    @cached_property
    def calendar(self) -> Calendar:
        """The days of its world."""
        return Calendar(self.lender.rhythm, number_of(self.dates[0]), number_of(self.as_of))

    @property
    def identity(self) -> dict[str, Any]:
        """The order and the version of the generator, as stored beside what was made."""
        return {
            "portfolio": self.lender.portfolio,
            "loans": self.loans,
            "since": self.dates[0].isoformat(),
            "as_of": self.as_of.isoformat(),
            "seed": self.seed,
            "generator_version": GENERATOR_VERSION,
        }
