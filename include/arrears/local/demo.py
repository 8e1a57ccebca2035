"""The demo portfolios that ``make run`` drives: their dates, pinned at the first run.

Belongs here: which demos there are and which dates they have. What their portfolio folders are told of it through the
environment stands in ``deployment``, how their ledgers are made in ``arrears.sources.demo``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from arrears.errors import ConfigurationError
from arrears.local.home import remembered
from arrears.rules.business_dates import BusinessDates, month_ends_before

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DAYS = 3
PAST_DAYS = 14  # a date of both costs seconds: a first run that shows more must be asked for


@dataclass(frozen=True)
class Demo:
    """One synthetic portfolio.

    Attributes:
        portfolio: Folder name below ``include/portfolios``.
        timezone: Its zone, in which today is asked for.
        loans: Size of the ledger.
        seed: Same seed, same ledger.
        past_days: Business dates before those that Airflow runs, filled by the command line first.
        past_month_ends: Month ends before those.
        inbox: Names of the environment variables with the folders of its inbox and of its archive; without them its
            ledger lies in the warehouse's database.
    """

    portfolio: str
    timezone: str
    loans: int
    seed: int
    past_days: int = 0
    past_month_ends: int = 0
    inbox: tuple[str, str] | None = None

    @property
    def dag_id(self) -> str:
        """Its daily DAG."""
        return f"collections_daily__{self.portfolio}"

    def today(self) -> date:
        """The date that it is in the portfolio's zone: the one clock that the demo looks at."""
        return datetime.now(UTC).astimezone(ZoneInfo(self.timezone)).date()

    def dates(self, pins: Path) -> tuple[date, ...]:
        """The business dates that Airflow runs, oldest first; today at the first call, and then the same for ever.

        Args:
            pins: File that remembers the last of them.
        """
        last = date.fromisoformat(remembered(pins, self.portfolio, lambda: self.today().isoformat()))
        return tuple(last - timedelta(days=back) for back in reversed(range(DAYS)))


DEMOS = (  # as small as their rates stay in the bands of tests/sources/test_demo_bands.py
    Demo("demo_travel_cn", "Asia/Shanghai", loans=4000, seed=2, past_days=PAST_DAYS, past_month_ends=13),
    Demo(
        "demo_loan_us",
        "America/New_York",
        loans=4000,
        seed=2,
        past_days=PAST_DAYS,
        past_month_ends=13,
        inbox=("ARREARS_DEMO_US_INBOX", "ARREARS_DEMO_US_ARCHIVE"),
    ),
)


def demos_with_past(days: int | None, pins: Path) -> tuple[Demo, ...]:
    """The demos, with as many days of history as the first run was asked for.

    Args:
        days: Asked for now; None for what the first run had.
        pins: As ``Demo.dates``.

    Raises:
        ConfigurationError: The first run was asked for another number: its dates are pinned.
    """
    pinned = int(remembered(pins, "past_days", lambda: str(PAST_DAYS if days is None else days)))
    if days is not None and days != pinned:
        raise ConfigurationError(f"{days} days of history", f"{pinned}, as pinned, or `make clean` first", pins.name)
    return tuple(replace(demo, past_days=pinned) for demo in DEMOS)


def business_dates(demos: Iterable[Demo], pins: Path) -> BusinessDates:
    """The dates of all demos, past included: they share their first ones, so that one environment tells them all.

    Args:
        demos: At least one.
        pins: As ``Demo.dates``.
    """
    daily_from = min(demo.dates(pins)[0] - timedelta(days=demo.past_days) for demo in demos)
    past = month_ends_before(daily_from, max(demo.past_month_ends for demo in demos))
    return BusinessDates(past[0] if past else daily_from, daily_from)
