"""What changed on a loan between two published days.

Belongs here: naming one loan's transition. The set-based twin is ``sql/core__delinquency_event_daily.sql``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from arrears.rules.ageing import OPEN_STATUS_CODES
from arrears.rules.buckets import bucket_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from arrears.rules.buckets import Bucket


@dataclass(frozen=True)
class LoanState:
    """A loan on one day.

    Attributes:
        status_code: By the ledger.
        past_due_days: 0 when it is current or has ended.
        restructured_on: Since when a new schedule replaces the agreed one; None while it does not.
    """

    status_code: str
    past_due_days: int = 0
    restructured_on: date | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is aged and worked."""
        return self.status_code in OPEN_STATUS_CODES


def events_of(
    then: LoanState | None,
    now: LoanState,
    buckets: Sequence[Bucket],
    *,
    is_first_day: bool = False,
    is_corrected: bool = False,
) -> set[str]:
    """Events of a loan that is in today's ledger.

    At most one of them tells where the arrears went. Beside it may stand ``charged_off``, because a charge-off ends
    the accounting and not the debt, and ``corrected``, because what was published is told in full before it is
    changed. Newly overdue is a spell's first day seen, not day 1: a day that never ran is made up for. A new schedule
    that lowers the arrears is ``re_aged``, no cure and no rolling back.

    Args:
        then: The loan on the day compared with, or, when it was missing, as it was last seen; None when never there.
        now: The loan today.
        buckets: Today's set, for both days: a changed set rolls nobody.
        is_first_day: The portfolio has no earlier day; what is past due was so before.
        is_corrected: An entry booked since changed what is true of the day compared with, or of one before it.

    Source:
        ARR-TRN-01 to ARR-TRN-06, ARR-TRN-08, ARR-TRN-09.
    """
    charged_off = now.status_code == "charged_off" and then is not None and then.status_code != "charged_off"
    movement = _movement(then or LoanState("active"), now, buckets, is_first_day=is_first_day)
    beside = {"charged_off": charged_off, "corrected": is_corrected}
    return {*movement, *(code for code, holds in beside.items() if holds)}


def is_missing(then: LoanState | None, now: LoanState | None, *, was_missing: bool = False) -> bool:
    """Whether a loan has gone from the ledger without saying how it ended: an error of the source, never a cure.

    Args:
        then: The loan on the day compared with; None when it was not in that ledger.
        now: The loan today; None when it is not in the ledger.
        was_missing: It was missing on the day compared with.

    Source:
        ARR-TRN-07.
    """
    return now is None and (was_missing or (then is not None and then.is_open))


def _movement(then: LoanState, now: LoanState, buckets: Sequence[Bucket], *, is_first_day: bool) -> list[str]:
    is_rescheduled = now.restructured_on not in (None, then.restructured_on)
    if now.past_due_days > 0 and is_first_day:
        return ["initial_load"]
    if then.past_due_days == 0:
        return ["newly_overdue"] if now.past_due_days > 0 else []
    if now.is_open and is_rescheduled and now.past_due_days < then.past_due_days:
        return ["re_aged"]
    if now.past_due_days > 0:
        codes = [bucket.code for bucket in buckets]
        days = (now.past_due_days, then.past_due_days)
        here, there = (codes.index(bucket_of(each, buckets)) for each in days)
        return [] if here == there else ["rolled_forward" if here > there else "rolled_back"]
    return ["cured" if now.is_open else now.status_code]
