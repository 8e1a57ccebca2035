"""The demo portfolios that ``make run`` drives: their dates, pinned at the first run, and their ledgers.

Belongs here: which demos there are and what their portfolio folders are told through the environment.
Does not belong here: how the ledger is made (``arrears.sources.demo``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from arrears.local.home import remembered

if TYPE_CHECKING:
    from pathlib import Path

DAYS = 3


@dataclass(frozen=True)
class Demo:
    """One synthetic portfolio.

    Attributes:
        portfolio: Folder name below ``include/portfolios``.
        timezone: Its zone, in which today is asked for.
        loans: Size of the ledger.
        seed: Same seed, same ledger.
    """

    portfolio: str
    timezone: str
    loans: int
    seed: int

    @property
    def dag_id(self) -> str:
        """Its daily DAG."""
        return f"collections_daily__{self.portfolio}"

    def today(self) -> date:
        """The date that it is in the portfolio's zone: the one clock that the demo looks at."""
        return datetime.now(UTC).astimezone(ZoneInfo(self.timezone)).date()

    def dates(self, pins: Path) -> tuple[date, ...]:
        """The business dates that are run, oldest first; today at the first call, and then the same for ever.

        Args:
            pins: File that remembers the last of them.
        """
        last = date.fromisoformat(remembered(pins, self.portfolio, lambda: self.today().isoformat()))
        return tuple(last - timedelta(days=back) for back in reversed(range(DAYS)))


DEMOS = (Demo("demo_travel_cn", "Asia/Shanghai", loans=5000, seed=7),)
