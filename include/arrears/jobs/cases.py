"""The job ``cases``: who has a case today, what each loan adds to it, what is held, and what closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arrears.jobs.day import Day, summary
from arrears.jobs.previous import previous_date
from arrears.rules.buckets import bucket_of
from arrears.rules.cases import CLOSE_REASONS, HOLD_CODES
from arrears.rules.hours import day_bounds

if TYPE_CHECKING:
    from datetime import date

    from arrears.settings import Settings

PREVIOUS = {"core__case_daily": "previous__case", "core__case_loan_daily": "previous__case_loan"}


def cases(
    portfolio: str, business_date: date, *, run_ref: str = "", settings: Settings | None = None
) -> dict[str, Any]:
    """Write ``core__case_loan_daily`` and ``core__case_daily``.

    Returns:
        The cases' manifest in short, and how many were opened, carried, closed and are held.

    Raises:
        PredecessorMissingError: The day before is not published or is stale.
        PartitionMissingError: The loans are not aged yet.
    """
    day = Day.open(portfolio, business_date, run_ref=run_ref, settings=settings)
    compared_with = previous_date(day)
    start, end = day_bounds(business_date, day.folder.portfolio.zone)
    parameters = {
        "portfolio": day.name,
        "currency": day.folder.portfolio.currency,
        "current_bucket": bucket_of(0, day.folder.portfolio.bucket_set),
        "hold_codes": list(HOLD_CODES),
        "close_reasons": list(CLOSE_REASONS),
        "day_start": start,
        "day_end": end,
    }
    with day.work() as work:
        work.read("core__loan_delinquency_daily")
        work.read("core__source_difference_daily")
        for table in ("raw__party", "raw__flag", "raw__pause"):
            work.read_optional(table)
        for table, view in PREVIOUS.items():
            if compared_with is None:
                work.empty(table, view=view)
            else:
                work.read(table, compared_with, view=view)
        work.write("core__case_loan_daily", parameters)
    with day.work() as work:
        work.read("core__case_loan_daily")
        manifest = work.write("core__case_daily", parameters)
        work.read("core__case_daily")
        counted = work.connection.execute(
            "SELECT count(*) FILTER (WHERE event_code = 'opened'), count(*) FILTER (WHERE event_code = 'carried'), "
            "count(*) FILTER (WHERE event_code = 'closed'), count(hold_code) FROM core__case_daily"
        ).fetchall()
    opened, carried, closed, held = counted[0]
    return {**summary(manifest), "opened": opened, "carried": carried, "closed": closed, "held": held}
