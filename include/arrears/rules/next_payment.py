"""Which payment a borrower is asked for next: what an agent names on the telephone.

Belongs here: the two ways of naming it. What is owed stands in ``allocation``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from arrears.rules.account import PAYMENT_KINDS

if TYPE_CHECKING:
    from datetime import date

    from arrears.rules.allocation import Account

POLICIES = ("next_due", "earliest_unpaid")


@dataclass(frozen=True)
class NextPayment:
    """When, and what is left of the instalment that falls due then, or first after it."""

    due_on: date
    amount_minor: int


def next_payment(account: Account, as_of: date, policy: str = "next_due") -> NextPayment:
    """The payment that is asked for next.

    ``next_due`` is the first unpaid instalment due after ``as_of``, a down payment also on the day, else the last of
    the plan. ``earliest_unpaid`` is the oldest unpaid one, but not before the last payment, and ``as_of`` where nothing
    is unpaid.

    Args:
        account: Replayed up to ``as_of``; at least one instalment.
        as_of: Date the answer holds for.
        policy: One of ``POLICIES``.

    Source:
        ARR-ALC-01; Apache Fineract's two policies.
    """
    unpaid = [each for each in account.obligations if each.unpaid_total_minor > 0]
    if policy == "earliest_unpaid":
        paid = [entry.effective_on for entry in account.entries if entry.kind_code in PAYMENT_KINDS]
        if not unpaid:
            return NextPayment(as_of, 0)
        on = max([unpaid[0].due_on, *paid])
        return NextPayment(on, next((each.unpaid_total_minor for each in unpaid if each.due_on >= on), 0))
    down = {each.seq for each in account.schedule if each.kind_code == "down_payment"}
    coming = [each for each in unpaid if each.due_on > as_of or (each.due_on == as_of and each.seq in down)]
    if not coming:
        return NextPayment(max(each.due_on for each in account.schedule), 0)
    return NextPayment(coming[0].due_on, coming[0].unpaid_total_minor)
