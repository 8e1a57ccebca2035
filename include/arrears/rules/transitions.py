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

    from arrears.rules.buckets import Bucket


@dataclass(frozen=True)
class LoanState:
    """A loan on one day; ``past_due_days`` is 0 when it is current or has ended."""

    status_code: str
    past_due_days: int = 0


def events_of(
    then: LoanState | None, now: LoanState, buckets: Sequence[Bucket], *, is_first_day: bool = False
) -> set[str]:
    """Events of a loan that is in today's ledger.

    At most one of them tells where the arrears went; ``charged_off`` may stand beside it, because a charge-off ends
    the accounting and not the debt. Newly overdue is a spell's first day seen, not day 1: a day that never ran is made
    up for. A loan that was there and is no longer in the ledger has no event: it has vanished, not cured.

    Args:
        then: The loan on the day compared with; None when it was not there.
        now: The loan today.
        buckets: Today's set, for both days: a changed set rolls nobody.
        is_first_day: The portfolio has no earlier day; what is past due was so before.

    Source:
        ARR-TRN-01 to ARR-TRN-06.
    """
    charged_off = now.status_code == "charged_off" and then is not None and then.status_code != "charged_off"
    movement = _movement(then.past_due_days if then else 0, now, buckets, is_first_day=is_first_day)
    return {*movement, *(["charged_off"] if charged_off else [])}


def _movement(days_then: int, now: LoanState, buckets: Sequence[Bucket], *, is_first_day: bool) -> list[str]:
    if now.past_due_days > 0:
        if is_first_day:
            return ["initial_load"]
        if days_then == 0:
            return ["newly_overdue"]
        codes = [bucket.code for bucket in buckets]
        steps = codes.index(bucket_of(now.past_due_days, buckets)) - codes.index(bucket_of(days_then, buckets))
        return [] if steps == 0 else ["rolled_forward" if steps > 0 else "rolled_back"]
    if days_then == 0:
        return []
    if now.status_code in OPEN_STATUS_CODES:
        return ["cured"]
    return ["paid_off" if now.status_code == "paid_off" else "closed"]
