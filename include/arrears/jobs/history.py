"""A portfolio's past in one process: every date before a given one that is missing or stale, in order.

Belongs here: which dates are still to be run, and running them. Each is a day like any other: the same jobs, contracts,
gates and ledgers. Nothing that it plans is ever sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from arrears.jobs.restate import dates_to_restate
from arrears.jobs.run_day import run_day
from arrears.kept import one_process
from arrears.portfolio import load_folder
from arrears.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from arrears.settings import Settings


@dataclass(frozen=True)
class Past:
    """How far the history is.

    Attributes:
        business_date: The date that was run last; None before the first.
        done: Dates run by this call.
        of: Dates that this call has to run; 0 when everything stood.
    """

    business_date: date | None
    done: int
    of: int


@one_process()
def history(
    portfolio: str,
    until: date,
    *,
    run_ref: str = "history",
    on_date: Callable[[Past], None] = lambda _: None,
    settings: Settings | None = None,
) -> list[dict[str, Any]]:
    """Run the portfolio's dates from its first to the one before ``until``, those that stand left out.

    Engine, connections and checked files are kept from date to date. Each date is published before the next begins:
    what a killed call has published stays, and the next call goes on behind it.

    Args:
        portfolio: Folder name.
        until: First business date that is not history.
        run_ref: Written into manifests and ledgers, for people.
        on_date: Told how far it is, before the first date and after each.
        settings: This deployment, unless a test brings its own.

    Returns:
        What ``run_day`` returned for each date that was run; empty when everything stood.

    Raises:
        PortfolioUnknownError: There is no such portfolio.
        PartitionDroppedError: Retention has dropped a date that is to be run.
        ArrearsError: Whatever a job found; the dates before stay published.
    """
    settings = settings or load_settings()
    first = load_folder(portfolio, settings).portfolio.first_business_date
    dates = dates_to_restate(portfolio, first, until - timedelta(days=1), settings=settings)
    on_date(Past(None, 0, len(dates)))
    results = []
    for number, business_date in enumerate(dates, 1):
        results.append(run_day(portfolio, business_date, run_ref=run_ref, settings=settings))
        on_date(Past(business_date, number, len(dates)))
    return results
