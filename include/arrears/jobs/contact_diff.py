"""The job ``contact diff``: which planned contacts of a date a change of rules would allow, stop or move.

Belongs here: planning one date twice and comparing. Nothing is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arrears.jobs.day import Day
from arrears.jobs.plan import plan_under

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from arrears.settings import Settings

Row = dict[str, Any]
CHOICE = ("channel_code", "contact_point_id", "not_before_at", "not_after_at")


def contact_diff(
    portfolio: str, business_date: date, old: Path, new: Path, *, settings: Settings | None = None
) -> dict[str, Any]:
    """Plan a date under two folders of packs.

    Args:
        portfolio: Folder name.
        business_date: A date whose cases and assignment are made.
        old: Folder of packs as they are.
        new: Folder of packs as they would be.
        settings: The deployment.

    Returns:
        Counts, and a row for each case that is contacted otherwise: ``allowed`` (now it is, before it was not),
        ``stopped``, or ``moved`` to another channel, point or time; the reasons are those of the plan.

    Raises:
        ConfigurationError: A pack is wrong.
        PredecessorMissingError: The day before is not published or is stale.
        PartitionMissingError: The day's cases or assignment are not made yet.
    """
    day = Day.open(portfolio, business_date, settings=settings)
    before, after = _plan(day, old), _plan(day, new)
    rows = [row for case in sorted(before) if (row := _change(before[case], after[case]))]
    kinds = [row["change"] for row in rows]
    return {
        "cases_due": len(before),
        **{kind: kinds.count(kind) for kind in ("allowed", "stopped", "moved")},
        "contacts": rows,
    }


def _plan(day: Day, policies: Path) -> dict[str, Row]:
    with day.work() as work:
        return {row["case_id"]: row for row in plan_under(day, work, policies)[0].plan}


def _change(before: Row, after: Row) -> Row | None:
    was, becomes = before["state_code"] == "planned", after["state_code"] == "planned"
    if was == becomes and all(before[name] == after[name] for name in CHOICE):
        return None
    return {
        "case_id": before["case_id"],
        "step_id": before["step_id"],
        "change": "moved" if was == becomes else "allowed" if becomes else "stopped",
        "old": before["reason"],
        "new": after["reason"],
    }
