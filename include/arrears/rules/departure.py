"""Whether a day's plan departs from its history, so that a person is asked before anything of it is sent.

Belongs here: the comparison. Where the figures come from stands in ``jobs.departure``, who is asked in the DAG
``contact_approval``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date


@dataclass(frozen=True)
class PlanFigures:
    """What a day's plan was.

    Attributes:
        business_date: The day.
        by_channel: Contacts planned by channel.
        blocked: Cases with a step due that no channel may be used for.
        past_due_loans: Open loans past due.
        strategy: Strategy and version; empty when nothing was planned.
        packs: Contact packs, each with its version; empty when nothing was asked.
    """

    business_date: date
    by_channel: Mapping[str, int] = field(default_factory=dict)
    blocked: int = 0
    past_due_loans: int = 0
    strategy: str = ""
    packs: str = ""

    @property
    def planned(self) -> int:
        """Contacts planned on all channels."""
        return sum(self.by_channel.values())

    @property
    def blocked_pct(self) -> float:
        """Blocked cases in percent of those with a step due; 0 when none has."""
        due = self.planned + self.blocked
        return 100 * self.blocked / due if due else 0.0


@dataclass(frozen=True)
class Limits:
    """How far a plan may be from its history.

    Attributes:
        min_days: Days of history without which figures are not compared.
        volume_pct: A channel's contacts may be so much more than the median, or as many times fewer.
        volume_floor: Differences of fewer contacts are never a departure.
        blocked_points: The blocked share may be so many percentage points from the median.
        overdue_pct: Loans past due may be so many percent more or fewer than on the day before.
    """

    min_days: int = 5
    volume_pct: float = 100
    volume_floor: int = 50
    blocked_points: float = 30
    overdue_pct: float = 30


@dataclass(frozen=True)
class Departure:
    """One reason to ask.

    Attributes:
        code: What departs.
        what: The channel, or what else is meant; may be empty.
        figure: Today's, in words.
        usual: What was expected, in words.
    """

    code: str
    what: str
    figure: str
    usual: str


def departures(today: PlanFigures, history: Sequence[PlanFigures], limits: Limits) -> list[Departure]:
    """What of today's plan departs from its history; empty when nothing does.

    A changed version of strategy or packs always does; figures only once there is a history to compare them with. An
    edge of a band still lies in it.

    Args:
        today: The plan to judge.
        history: Earlier days, any order; days on which nothing was due count as well.
        limits: The bands.

    Source:
        ARR-APR-01.
    """
    earlier = sorted((one for one in history if one.business_date < today.business_date), key=lambda d: d.business_date)
    found = [
        Departure(f"{name}_changed", "", now, before)
        for name in ("strategy", "packs")
        if (now := getattr(today, name)) and (before := _last_said(earlier, name)) and now != before
    ]
    if len(earlier) < limits.min_days:
        return found
    for channel in sorted({*today.by_channel, *(one for day in earlier for one in day.by_channel)}):
        usual = median(day.by_channel.get(channel, 0) for day in earlier)
        now, factor = today.by_channel.get(channel, 0), 1 + limits.volume_pct / 100
        low, high = usual / factor, usual * factor
        if not low <= now <= high and abs(now - usual) >= limits.volume_floor:
            found.append(Departure("volume", channel, str(now), f"{low:.0f} to {high:.0f}"))
    usual_pct = median(day.blocked_pct for day in earlier)
    moved = abs(today.blocked_pct - usual_pct) > limits.blocked_points
    if moved and today.planned + today.blocked >= limits.volume_floor:
        found.append(
            Departure(
                "blocked_share", "", f"{today.blocked_pct:.1f} %", f"{usual_pct:.1f} % +- {limits.blocked_points:g}"
            )
        )
    before_loans = earlier[-1].past_due_loans
    jump = abs(today.past_due_loans - before_loans)
    if jump > before_loans * limits.overdue_pct / 100 and jump >= limits.volume_floor:
        found.append(
            Departure("overdue_jump", "", str(today.past_due_loans), f"{before_loans} +- {limits.overdue_pct:g} %")
        )
    return found


def _last_said(earlier: Sequence[PlanFigures], name: str) -> str:
    """The newest version that a day of the history names."""
    return next((value for day in reversed(earlier) if (value := getattr(day, name))), "")
