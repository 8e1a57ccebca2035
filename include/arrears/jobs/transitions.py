"""The job ``transitions``: what changed on every loan since the previous published day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arrears.jobs.age import LOANS, put_buckets
from arrears.jobs.day import Day, summary
from arrears.jobs.previous import previous_date

if TYPE_CHECKING:
    from datetime import date

    from arrears.settings import Settings

EVENTS = "core__delinquency_event_daily"
PREVIOUS = "previous__loan_delinquency"


def transitions(
    portfolio: str, business_date: date, *, run_ref: str = "", settings: Settings | None = None
) -> dict[str, Any]:
    """Write ``core__delinquency_event_daily``.

    Returns:
        The events' manifest in short; events by code; ``compared_with``; and ``missing_loans``, the loans that were
        open then and are in no row of today's ledger. A loan that vanishes is no cure: its case stays.

    Raises:
        PredecessorMissingError: The day before is not published or is stale.
        PartitionMissingError: The day is not aged yet.
    """
    day = Day.open(portfolio, business_date, run_ref=run_ref, settings=settings)
    compared_with = previous_date(day)
    with day.work() as work:
        work.read(LOANS)
        if compared_with is None:
            work.empty(LOANS, view=PREVIOUS)
        else:
            work.read(LOANS, compared_with, view=PREVIOUS)
        put_buckets(work.connection, day.folder.portfolio.bucket_set)
        manifest = work.write(EVENTS, {"compared_with": compared_with})
        work.read(EVENTS)
        counted = work.connection.execute(
            f"SELECT event_code, count(*) FROM {EVENTS} GROUP BY event_code ORDER BY event_code"
        ).fetchall()
        missing = work.connection.execute(
            f"SELECT count(*) FROM {PREVIOUS} AS then_ ANTI JOIN {LOANS} AS now_ ON then_.loan_id = now_.loan_id "
            "WHERE then_.is_open"
        ).fetchall()[0][0]
    return {
        **summary(manifest),
        "events": dict(counted),
        "compared_with": None if compared_with is None else compared_with.isoformat(),
        "missing_loans": missing,
    }
