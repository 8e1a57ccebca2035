"""The job ``metrics``: the day's measures, each one SELECT with numerator and denominator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arrears.jobs.day import Day, summary
from arrears.jobs.previous import previous_date
from arrears.portfolio import closing_date

if TYPE_CHECKING:
    from datetime import date

    from arrears.settings import Settings

PREVIOUS = "previous__loan_delinquency"


def metrics(
    portfolio: str, business_date: date, *, run_ref: str = "", settings: Settings | None = None
) -> dict[str, Any]:
    """Write every ``out__`` measure of the day.

    Each table is written by an engine of its own, so that its manifest names the inputs it was really made from.

    Returns:
        The summary row's manifest in short.

    Raises:
        PredecessorMissingError: The day before is not published or is stale.
        PartitionMissingError: An earlier step has not run.
    """
    day = Day.open(portfolio, business_date, run_ref=run_ref, settings=settings)
    compared_with = previous_date(day)
    loans, events, cases = "core__loan_delinquency_daily", "core__delinquency_event_daily", "core__case_daily"
    assigned = "out__assignment_daily"
    _measure(day, "out__portfolio_daily", loans)
    _measure(day, "out__delinquency_event_total_daily", events)
    _measure(day, "out__par_daily", loans)
    _measure(day, "out__entry_daily", loans, "core__instalment_delinquency_daily", "raw__instalment")
    with day.work() as work:
        work.read(loans)
        if compared_with is None:
            work.empty(loans, view=PREVIOUS)
        else:
            work.read(loans, compared_with, view=PREVIOUS)
        work.write("out__bucket_migration_daily", {"compared_with": compared_with})
    with day.work() as work:
        for table in (assigned, cases):
            work.read(table)
        work.read_optional("raw__queue")
        has_shifts = work.read_optional("raw__agent_shift")
        work.write("out__queue_daily", {"has_shifts": has_shifts})
    with day.work() as work:
        work.read_optional("core__promise_daily")
        work.write("out__promise_daily", {"compared_close": compared_with and closing_date(compared_with)})
    with day.work() as work:
        for table in (loans, events, cases, assigned, "out__contact_plan_daily", "out__quarantine", "out__par_daily"):
            work.read(table)
        return summary(work.write("out__summary_daily", {"currency": day.folder.portfolio.currency}))


def _measure(day: Day, table: str, *inputs: str) -> None:
    with day.work() as work:
        for name in inputs:
            work.read(name)
        work.write(table)
