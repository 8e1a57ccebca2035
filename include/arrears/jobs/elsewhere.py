"""Contacts that caps count and the portfolio's own ledger does not hold, frozen when the day is cut.

Belongs here: which partitions of other portfolios are looked at, and that they are looked at once a cut. What other
portfolios and the outbox know grows while nothing of this day changes, so a rerun must not look again
(``docs/adr/0007-contacts-elsewhere-are-frozen-at-the-cut.md``).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from arrears.contracts import CONTRACTS
from arrears.engine.duckdb import quoted
from arrears.jobs.day import stale_inputs
from arrears.lake import PartitionKey
from arrears.portfolio import names
from arrears.warehouse.given_out import GIVEN, given_out

if TYPE_CHECKING:
    from datetime import date

    from arrears.jobs.day import Day, Work

ELSEWHERE = "core__contact_elsewhere_daily"
PLAN = "out__contact_plan_daily"
LEDGER = ("raw__contact", "raw__party", "raw__contact_point")
LOOK_BACK = timedelta(days=35)  # five weeks, as far as sources deliver their contacts


def read_contacts_elsewhere(work: Work) -> None:
    """Make ``core__contact_elsewhere_daily`` readable, and write it first unless this cut of the day has it.

    A cut is the extract of the day's ledger; its people and its configuration are part of it.

    Each partition looked at stands in its manifest, named ``<portfolio>:<table>@<date>``: it pins what was known, and
    makes nothing stale when it moves.

    Args:
        work: With the ledger tables ``raw__party`` and ``raw__contact`` readable, empty where not delivered.

    Raises:
        WarehouseUnreachableError: There is a warehouse, and it did not answer.
        PartitionCorruptError: A partition of another portfolio was changed.
    """
    day = work.day
    there = day.lake.find(day.key(ELSEWHERE))
    if there is None or there.known_until != work.known_until or stale_inputs(day.lake, there, day.folder.config_hash):
        _write(day)
    work.read(ELSEWHERE)


def _write(day: Day) -> None:
    with day.work() as own:
        others = [name for name in names(day.settings) if name != day.name]
        dates = {name: _newest(own, name) for name in others}
        for table in LEDGER:
            _gather(own, table, f"elsewhere__{table.removeprefix('raw__')}", dates)
        _gather(own, PLAN, "elsewhere__plan", dict.fromkeys(others, day.business_date))
        url = day.settings.warehouse_url
        first = day.business_date - LOOK_BACK
        outbox = GIVEN.empty_table() if url is None else given_out(day.settings.warehouse, first, day.business_date)
        own.connection.register("outbox", outbox)
        for table in ("raw__party", "raw__contact"):
            own.read_optional(table)
        own.write(ELSEWHERE, {"own": day.name})


def _newest(work: Work, portfolio: str) -> date | None:
    """The newest business date, not after the day, whose ledger of that portfolio is in the lake."""
    dates = work.day.lake.dates(portfolio, "raw__contact")
    return max((one for one in dates if one <= work.day.business_date), default=None)


def _gather(work: Work, table: str, view: str, dates: dict[str, date | None]) -> None:
    """Make a view over the table's partitions of several portfolios."""
    found = []
    for number, (portfolio, business_date) in enumerate(dates.items()):
        key = PartitionKey(portfolio, table, business_date) if business_date else None
        if key is not None and work.day.lake.find(key) is not None:
            manifest = work.day.lake.view(work.connection, key, f"{view}_{number}")
            work.inputs[f"{portfolio}:{table}@{business_date}"] = manifest.content_hash
            found.append(f"{view}_{number}")
    if not found:
        work.empty(table, view=view)
        return
    columns = ", ".join(quoted(column.name) for column in CONTRACTS[table].all_columns)
    selects = " UNION ALL ".join(f"SELECT {columns} FROM {quoted(name)}" for name in found)
    work.connection.execute(f"CREATE OR REPLACE VIEW {quoted(view)} AS {selects}")
