"""What became of the promises to pay, by the ledger and by feedback: the first thing the job ``cases`` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arrears.engine.duckdb import select_text
from arrears.engine.tables import DuckTables
from arrears.jobs.accounts import make_annulled
from arrears.jobs.previous import read_previous
from arrears.jobs.reported import reported
from arrears.rules.hours import day_bounds

if TYPE_CHECKING:
    from datetime import date

    from arrears.jobs.day import Day, Work
    from arrears.lake import Manifest

PROMISES = "core__promise_daily"
LEDGER = ("raw__promise", "raw__contact", "raw__transaction")


def write_promises(day: Day, compared_with: date | None) -> Manifest:
    """Write ``core__promise_daily``.

    Args:
        day: Aged.
        compared_with: The published day before; None on the first.

    Raises:
        PartitionMissingError: The loans are not aged yet.
        WarehouseUnreachableError: There is a warehouse, and it did not answer.
    """
    configured = day.folder.portfolio
    with day.work() as work:
        work.read("core__loan_delinquency_daily")
        for table in LEDGER:
            work.read_optional(table)
        read_previous(work, PROMISES, compared_with, view="previous__promise")
        work.connection.register("feedback_promise", reported(work, "feedback_promise"))
        _, end = day_bounds(day.business_date, configured.zone)
        make_annulled(DuckTables(work.connection), {"as_of": day.closing_date})
        _make(work, "promise__part", "promise_part", zone=configured.timezone, day_end=end)
        _make(work, "promise__credit", "promise_credit")
        _make(work, "promise__match", "promise_match", grace_days=configured.promises.grace_days)
        return work.write(
            PROMISES,
            {
                "tolerance_minor": configured.promises.tolerance_minor,
                "grace_days": configured.promises.grace_days,
            },
        )


def _make(work: Work, select: str, name: str, **parameters: object) -> None:
    work.connection.execute(f"CREATE TABLE {name} AS {select_text(select)}", parameters or None)
