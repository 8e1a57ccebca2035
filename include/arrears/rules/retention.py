"""How long a business date keeps its full snapshots.

Belongs here: which dates may go. What goes with a date stands in ``arrears.jobs.retention``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from arrears.errors import RuleInputError
from arrears.rules.business_dates import ONE_DAY

if TYPE_CHECKING:
    from collections.abc import Iterable

MONTHS = 12


class Verdict(StrEnum):
    """Why a date keeps its full snapshots, or that it does not."""

    NEWEST = "newest"  # the last published date, and what was begun after it
    WITHIN_TERM = "within term"
    AWAITED = "awaited"  # a stale date is to be made again from it
    MONTH_END = "month end"
    EXPIRED = "expired"


@dataclass(frozen=True)
class DateState:
    """One business date that is published or has partitions.

    Attributes:
        business_date: The date.
        is_published: Whether it is.
        is_stale: Whether anything but the configuration has moved since it was published.
    """

    business_date: date
    is_published: bool
    is_stale: bool = False


def snapshot_verdicts(states: Iterable[DateState], *, keep_days: int, keep_months: int) -> dict[date, Verdict]:
    """What may happen to the full snapshots of each date.

    Time is counted from the last published date, never from the clock: nothing expires while a portfolio stands still.
    A date is within its term while fewer than ``keep_days`` days lie between it and the last published one; the last
    published date and every date after it stay whatever the term. A month end is the last published close of its
    closing month, a gap on the 31st notwithstanding. From the first stale date on nothing goes, and neither does the
    published date before it, which that date is compared with; a stale date that expires unmended would otherwise take
    the chance to mend it along. A date that a gap has passed over unpublished goes with its term.

    Args:
        states: Each date once, any order.
        keep_days: Days that every date is kept; >= 1.
        keep_months: Past months whose end is kept; 0 keeps none.

    Returns:
        Verdict by date, oldest first.

    Raises:
        RuleInputError: ``keep_days`` < 1 or ``keep_months`` < 0.

    Source:
        ARR-RET-01.
    """
    if keep_days < 1 or keep_months < 0:
        raise RuleInputError(f"{keep_days} days, {keep_months} months", "at least 1 day and 0 months", "retention")
    by_date = {state.business_date: state for state in states}
    published = sorted(day for day, state in by_date.items() if state.is_published)
    last = published[-1] if published else date.min
    stale = min((day for day, state in by_date.items() if state.is_stale), default=date.max)
    awaited_from = max((day for day in published if day < stale), default=stale) if stale < date.max else date.max
    month_ends = set({_closing_month(day): day for day in published}.values())

    def verdict(day: date) -> Verdict:
        if day >= last:
            return Verdict.NEWEST
        if (last - day).days < keep_days:
            return Verdict.WITHIN_TERM
        if day >= awaited_from:
            return Verdict.AWAITED
        if day in month_ends and _closing_month(last) - _closing_month(day) <= keep_months:
            return Verdict.MONTH_END
        return Verdict.EXPIRED

    return {day: verdict(day) for day in sorted(by_date)}


def _closing_month(business_date: date) -> int:
    """Number of the month in which the date's ledger closed."""
    closed_on = business_date - ONE_DAY
    return closed_on.year * MONTHS + closed_on.month
