"""The job ``strategy diff``: what another strategy would have planned for a past day. Nothing is written or sent.

Belongs here: planning one date twice and comparing. Both plans start from the same published day before.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from arrears.contact.strategy import read_strategy
from arrears.jobs.day import Day
from arrears.jobs.plan import plan_under

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from arrears.contact.strategy import Version
    from arrears.settings import Settings

Row = dict[str, Any]
CHOICE = ("step_id", "state_code", "channel_code", "contact_point_id", "not_before_at", "not_after_at")


def strategy_diff(portfolio: str, business_date: date, other: Path, *, settings: Settings | None = None) -> Row:
    """Plan a date under the strategy in force and under another.

    Args:
        portfolio: Folder name.
        business_date: A date whose cases and assignment are made.
        other: The other strategy's file.
        settings: The deployment.

    Returns:
        For each plan its figures: people contacted, steps, channels, blocked; and a row for each person whose contact
        differs: ``added``, ``dropped``, or ``changed`` in step, channel, point or time.

    Raises:
        ConfigurationError: A strategy is wrong, or none is in force on the date.
        PredecessorMissingError: The day before is not published or is stale.
        PartitionMissingError: The day's cases or assignment are not made yet.
    """
    day = Day.open(portfolio, business_date, settings=settings)
    buckets = [bucket.code for bucket in day.folder.portfolio.bucket_set]
    version = read_strategy(other, buckets).on(business_date)
    before, after = _plan(day), _plan(day, version)
    rows = [
        row for case in sorted(before | after) if (row := _change(case, before.get(case), after.get(case))) is not None
    ]
    changes = Counter(row["change"] for row in rows)
    return {
        "old": _figures(before),
        "new": _figures(after),
        **{kind: changes[kind] for kind in ("added", "dropped", "changed")},
        "contacts": rows,
    }


def _plan(day: Day, version: Version | None = None) -> dict[str, Row]:
    with day.work() as work:
        made, _ = plan_under(day, work, day.settings.policies, version)
        return {row["case_id"]: row for row in made.plan}


def _figures(plan: dict[str, Row]) -> Row:
    planned = [row for row in plan.values() if row["state_code"] == "planned"]
    return {
        "strategy": next((row["strategy"] for row in plan.values()), ""),
        "people": len({row["person_id"] or row["borrower_id"] for row in planned}),
        "planned": len(planned),
        "blocked": len(plan) - len(planned),
        "steps": dict(sorted(Counter(row["step_id"] for row in planned).items())),
        "channels": dict(sorted(Counter(row["channel_code"] for row in planned).items())),
    }


def _change(case_id: str, before: Row | None, after: Row | None) -> Row | None:
    if before and after and all(before[name] == after[name] for name in CHOICE):
        return None
    return {
        "case_id": case_id,
        "change": "changed" if before and after else "added" if after else "dropped",
        "old": before["reason"] if before else "",
        "new": after["reason"] if after else "",
    }
