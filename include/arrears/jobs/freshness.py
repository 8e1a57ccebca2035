"""Whether a day stands as it should: made from what is there now, and published as it was made."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from arrears.contracts import CONTRACTS
from arrears.jobs.day import ABSENT, stale_inputs
from arrears.warehouse.ledger import published_days
from arrears.warehouse.tables import FACTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from arrears.jobs.day import Day
    from arrears.lake import Manifest

NOT_THERE = "{} is not in the lake"
NO_WAREHOUSE = "no warehouse"  # stands for the hash of a date that counts as published without one


def content_hash_of(manifests: Mapping[str, Manifest]) -> str:
    """Hash of a publication: over the content hashes of every published table.

    Args:
        manifests: Manifest by lake table, one for each fact.
    """
    canonical = json.dumps(sorted((table, manifest.content_hash) for table, manifest in manifests.items()))
    return hashlib.sha256(canonical.encode()).hexdigest()


def moved_inputs(day: Day, tables: Sequence[str] = ()) -> list[str]:
    """What the day's published tables were made from and is not the same any more; empty when all is fresh.

    Every table of the day is followed down to its extract. A table of an earlier day is compared and not followed:
    whether that day is fresh is its own question. A dropped table has not moved: its facts are still known.

    Args:
        day: The day.
        tables: Where to begin; none for every published one.

    Returns:
        Sentences: ``<input> of <table> has changed``, ``<table> is not in the lake``.
    """
    moved: set[str] = set()
    waiting = list(tables) or [contract.table for contract in FACTS]
    seen: set[str] = set()
    while waiting:
        table = waiting.pop()
        if table in seen or table not in CONTRACTS:
            continue
        seen.add(table)
        manifest = day.lake.known(day.key(table))
        if manifest is None:
            moved.add(NOT_THERE.format(table))
            continue
        moved |= {f"{name} of {table} has changed" for name in stale_inputs(day.lake, manifest, day.folder.config_hash)}
        waiting += [name for name, content_hash in manifest.inputs.items() if content_hash != ABSENT]
    return sorted(moved)


def published_dates(day: Day) -> dict[date, str]:
    """Content hash by published date of the day's portfolio, oldest first.

    Without a warehouse a date counts as published once its cases are in the lake.

    Raises:
        WarehouseUnreachableError: The server did not answer.
    """
    if day.settings.warehouse_url is None:
        cases = "core__case_daily"
        dates = {*day.lake.dates(day.name, cases), *day.lake.dropped_dates(day.name, cases)}
        return dict.fromkeys(sorted(dates), NO_WAREHOUSE)
    return {one.business_date: one.content_hash for one in published_days(day.settings.warehouse, day.name)}


def reasons_to_rerun(day: Day, published_hash: str | None) -> list[str]:
    """Why the day should run again; empty when it is fresh and published as it stands in the lake.

    Args:
        day: The day.
        published_hash: What is published for it; None when nothing is.
    """
    if published_hash is None:
        return ["never published"]
    moved = moved_inputs(day)
    if moved or published_hash == NO_WAREHOUSE:
        return moved
    return [] if content_hash_of(_facts(day)) == published_hash else ["what is published is not what is in the lake"]


def never_published(day: Day, published_hash: str) -> list[str]:
    """The reasons to rerun that say of a table only that the day's publication never had it: a later version added it.

    Args:
        day: A published day.
        published_hash: What is published for it. Where the tables that are there are all of it, none is lost.
    """
    there = _facts(day)
    if content_hash_of(there) != published_hash:
        return []
    return [NOT_THERE.format(contract.table) for contract in FACTS if contract.table not in there]


def _facts(day: Day) -> dict[str, Manifest]:
    """Manifests of the day's published tables that are in the lake, or were until retention dropped them."""
    known = {contract.table: day.lake.known(day.key(contract.table)) for contract in FACTS}
    return {table: manifest for table, manifest in known.items() if manifest}
