"""The job ``assign``: a queue, an agent and a reason for every open case."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from arrears.cases.assignment import assignment_rows
from arrears.jobs.day import Day, summary
from arrears.jobs.previous import previous_date, read_previous
from arrears.jobs.reported import reported
from arrears.jobs.rows import read_rows, without_cycle_search, write_rows
from arrears.rules.hours import day_bounds

if TYPE_CHECKING:
    from datetime import date

    from arrears.settings import Settings

LEDGER = ("raw__party", "raw__queue", "raw__agent_shift", "raw__contact", "raw__agent_conflict")


@without_cycle_search()
def assign(
    portfolio: str, business_date: date, *, run_ref: str = "", settings: Settings | None = None
) -> dict[str, Any]:
    """Write ``out__assignment_daily``.

    Returns:
        The manifest in short, how many cases are assigned, and how many stand for each reason.

    Raises:
        PredecessorMissingError: The day before is not published or is stale.
        PartitionMissingError: The day's cases are not made yet.
        WarehouseUnreachableError: There is a warehouse, and it did not answer: a supervisor's word may stand in it.
    """
    day = Day.open(portfolio, business_date, run_ref=run_ref, settings=settings)
    compared_with = previous_date(day)
    with day.work() as work:
        work.read("core__case_daily")
        work.read("core__case_loan_daily")
        work.connection.register("feedback_reassign", reported(work, "feedback_reassign"))
        for table in LEDGER:
            work.read_optional(table)
        read_previous(work, "out__assignment_daily", compared_with, view="previous__assignment")
        configured = day.folder.portfolio
        start, end = day_bounds(business_date, configured.zone)
        asked = {
            "day_start": start,
            "day_end": end,
            "language": configured.language,
            "zone": configured.timezone,
            "stale_days": configured.assignment.stale_days,
            "business_date": business_date,
            "compared_with": compared_with or business_date,
        }
        rows = assignment_rows(
            read_rows(work, "read__case_to_assign", asked),
            read_rows(work, "read__queue"),
            read_rows(work, "read__shift", {"business_date": business_date, "portfolio": day.name}),
            configured.queues,
            terms=configured.assignment,
            business_date=business_date,
        )
        manifest = write_rows(work, "out__assignment_daily", rows)
    return {
        **summary(manifest),
        "assigned": sum(row["is_assigned"] for row in rows),
        "reasons": dict(sorted(Counter(row["reason_code"] for row in rows).items())),
    }
