"""Where do we stand: per portfolio, what is published, what is stale, what failed or never came back."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from arrears.errors import ConfigurationError, PartitionDroppedError, TimeZoneRefusedError
from arrears.jobs.day import Day
from arrears.jobs.freshness import published_dates, reasons_to_rerun
from arrears.lake import Lake
from arrears.portfolio import load_folder, names
from arrears.warehouse.run_ledger import troubles

if TYPE_CHECKING:
    from arrears.settings import Settings


def status(settings: Settings) -> list[dict[str, Any]]:
    """One entry per portfolio, by name.

    Returns:
        ``portfolio``, ``first_business_date``, ``last_published``, ``dates_published``, ``dropped`` (how many dates
        retention has taken, and the code that asking for one of them gives; None when none), ``stale`` (date and
        why; no dropped one), ``troubles`` (runs and tasks that failed, or started and never finished). A folder with a
        mistake gives ``portfolio`` and ``error``: it must not hide the others.

    Raises:
        WarehouseUnreachableError: The server did not answer.
    """
    return [_status_of(name, settings) for name in names(settings)]


def _status_of(name: str, settings: Settings) -> dict[str, Any]:
    try:
        folder = load_folder(name, settings)
    except (ConfigurationError, TimeZoneRefusedError) as mistake:
        return {"portfolio": name, "error": str(mistake)}
    first = Day(settings, folder, folder.portfolio.first_business_date, Lake(settings.lake_url))
    published = published_dates(first)
    dropped = first.lake.dropped_dates(name)
    stale = [
        {"business_date": business_date, "why": why}
        for business_date, content_hash in published.items()
        if business_date not in dropped
        and (why := reasons_to_rerun(replace(first, business_date=business_date), content_hash))
    ]
    return {
        "portfolio": name,
        "first_business_date": folder.portfolio.first_business_date,
        "last_published": max(published, default=None),
        "dates_published": len(published),
        "dropped": f"{PartitionDroppedError.code}: {len(dropped)} dates, {dropped[0]} to {dropped[-1]}"
        if dropped
        else None,
        "stale": stale,
        "troubles": [] if settings.warehouse_url is None else list(map(asdict, troubles(settings.warehouse, name))),
    }
