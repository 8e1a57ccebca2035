"""Whether one loan makes all of its customer's non-performing.

Belongs here: the readable definition of ``sql/core__customer_status_daily.sql``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


def is_non_performing(past_due_days: Collection[int], *, was_non_performing: bool, threshold_days: int) -> bool:
    """Whether a customer, and with it each of its loans, is non-performing.

    It begins with the first loan more than ``threshold_days`` past due and ends when none is past due at all: paying
    the worst loan alone lifts nobody.

    Args:
        past_due_days: Of the customer's open loans, missing ones as last seen.
        was_non_performing: The customer was on the day compared with.
        threshold_days: Contractual days.

    Source:
        ARR-TRN-10; RBI master circular on income recognition and asset classification, 4.2.7 (borrower-wise).
    """
    worst = max(past_due_days, default=0)
    return worst > threshold_days or (was_non_performing and worst > 0)
