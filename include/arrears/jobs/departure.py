"""Why a day's plan must wait for a person: its figures against those of the dates published before."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from arrears.jobs.rows import read_rows
from arrears.rules.departure import Departure, PlanFigures, departures
from arrears.warehouse.connection import transaction

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from arrears.jobs.day import Work

LOOK_BACK = timedelta(days=28)
INPUTS = ("out__contact_plan_daily", "core__contact_decision_daily", "out__summary_daily")
HISTORY = text(
    "SELECT * FROM ops.plan_history WHERE portfolio = :portfolio AND business_date >= :first AND business_date < :day"
)


def departures_of(work: Work) -> list[Departure]:
    """What of the day's plan departs from the four weeks before it; empty when nothing does, or nobody wants to know.

    Raises:
        PartitionMissingError: The plan or the measures are not made yet.
        WarehouseUnreachableError: The server did not answer.
    """
    day = work.day
    limits = day.folder.portfolio.approval.limits
    if limits is None:
        return []
    for table in INPUTS:
        work.read(table)
    today = figures_of(day.business_date, read_rows(work, "read__plan_figure"))
    asked = {"portfolio": day.name, "first": day.business_date - LOOK_BACK, "day": day.business_date}
    with transaction(day.settings.warehouse) as connection:
        rows = [dict(row) for row in connection.execute(HISTORY, asked).mappings()]
    dates = sorted({row["business_date"] for row in rows})
    history = [figures_of(date, [row for row in rows if row["business_date"] == date]) for date in dates]
    return departures(today, history, limits)


def figures_of(business_date: date, rows: Iterable[dict[str, Any]]) -> PlanFigures:
    """One day's figures from its rows by channel."""
    rows = list(rows)
    return PlanFigures(
        business_date,
        {row["channel_code"]: row["planned"] for row in rows if row["planned"]},
        rows[0]["blocked"],
        rows[0]["past_due_loans"],
        rows[0]["strategy"],
        rows[0]["packs"],
    )
