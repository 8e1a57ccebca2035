"""The job ``retention``: full snapshots of dates whose term has passed leave the lake, their rejected values the vault.

What goes with a date: its ``extract__``, ``raw__`` and ``core__`` tables, a row for every loan, party or case. What
stays: its ``out__`` tables (figures, assignments, plans and their decisions: the record of what was done), all that is
published, and every manifest's facts. Rejected values are the source's own words about people: they go when the daily
term ends, a month end's too. Which dates may go: ``arrears.rules.retention``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from arrears.failpoints import failpoint
from arrears.jobs.day import Day
from arrears.jobs.freshness import published_dates, reasons_to_rerun
from arrears.jobs.previous import OF_CONFIGURATION
from arrears.portfolio import load_folder
from arrears.rules.retention import DateState, Verdict, snapshot_verdicts
from arrears.settings import load_settings
from arrears.sources.vault import forget_rejected, rejected_days
from arrears.warehouse.connection import transaction
from arrears.warehouse.private_terms import drop_private

if TYPE_CHECKING:
    from datetime import date

    from arrears.lake import PartitionKey
    from arrears.settings import Settings

FULL_SNAPSHOTS = ("extract__", "raw__", "core__")


def retention(
    portfolio: str, *, dry_run: bool = True, run_ref: str = "", settings: Settings | None = None
) -> dict[str, Any]:
    """Drop what its time has passed, or list it.

    Args:
        portfolio: Folder name.
        dry_run: List only.
        run_ref: The run, for people.
        settings: This deployment, unless a test brings its own.

    Returns:
        ``dates`` (ISO, oldest first), ``partitions``, ``bytes``, ``rejected_rows`` and ``private_rows`` that go, or
        went; ``kept`` (dates by reason); ``awaited_since``, from which date on stale dates hold everything, or None.

    Raises:
        PortfolioUnknownError: There is no such portfolio.
        WarehouseUnreachableError: The server did not answer; what was dropped before stays dropped.
    """
    settings = settings or load_settings()
    first = load_folder(portfolio, settings).portfolio.first_business_date
    day = Day.open(portfolio, first, run_ref=run_ref, settings=settings)
    stored = {key: size for key, size in day.lake.stored(portfolio).items() if key.table.startswith(FULL_SNAPSHOTS)}
    rejected = rejected_days(settings, portfolio)
    verdicts = snapshot_verdicts(
        _states(day, {key.business_date for key in stored} | set(rejected)),
        keep_days=settings.keep_full_snapshots_days,
        keep_months=settings.keep_month_ends_months,
    )
    going = sorted((key for key in stored if verdicts[key.business_date] is Verdict.EXPIRED), key=_order)
    forgotten = [one for one in rejected if verdicts[one] in {Verdict.EXPIRED, Verdict.MONTH_END}]
    private = _private(settings, portfolio, dry_run=dry_run)
    if not dry_run:
        if forgotten:
            forget_rejected(settings, portfolio, forgotten)
        failpoint("retention.forgotten")
        for key in going:
            day.lake.drop(key)
    awaited = [one for one, verdict in verdicts.items() if verdict is Verdict.AWAITED]
    return {
        "portfolio": portfolio,
        "dry_run": dry_run,
        "dates": sorted({key.business_date.isoformat() for key in going}),
        "partitions": len(going),
        "bytes": sum(stored[key] for key in going),
        "private_rows": private,
        "rejected_rows": sum(rejected[one] for one in forgotten),
        "kept": dict(Counter(str(verdict) for verdict in verdicts.values() if verdict is not Verdict.EXPIRED)),
        "awaited_since": min(awaited, default=None),
    }


def _private(settings: Settings, portfolio: str, *, dry_run: bool) -> int:
    """Rows of the vault whose term has passed by the clock: people's time does not stand still with a portfolio."""
    if settings.warehouse_url is None:
        return 0
    before = datetime.now(UTC) - timedelta(days=settings.keep_private_days)
    with transaction(settings.warehouse) as connection:
        return drop_private(connection, portfolio, before, dry_run=dry_run)


def _states(day: Day, in_lake: set[date]) -> list[DateState]:
    """Every date that is published or has anything to drop; a dropped one can't be stale any more."""
    published = published_dates(day)
    dropped = set(day.lake.dropped_dates(day.name))
    return [
        DateState(
            one, one in published, one in published and one not in dropped and _is_stale(day, one, published[one])
        )
        for one in sorted({*published, *in_lake})
    ]


def _is_stale(day: Day, business_date: date, published_hash: str) -> bool:
    """A changed configuration alone holds nothing back: history stands as it was made."""
    reasons = reasons_to_rerun(replace(day, business_date=business_date), published_hash)
    return any(not reason.startswith(OF_CONFIGURATION) for reason in reasons)


def _order(key: PartitionKey) -> tuple[date, str]:
    return key.business_date, key.table
