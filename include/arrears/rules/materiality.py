"""Since when what is past due is material: above an absolute and a relative threshold, both, without a break.

Belongs here: the readable definition of ``sql/account__material.sql``, for one loan.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arrears.rules.account import ADDING_KINDS, PAYMENT_KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from arrears.rules.account import Instalment, Transaction


@dataclass(frozen=True)
class Materiality:
    """Thresholds; past due is material above both.

    Attributes:
        minor: Amount.
        bps: Share of the loan's outstanding principal, in basis points.
    """

    minor: int = 0
    bps: int = 0

    def is_material(self, past_due_minor: int, exposure_minor: int) -> bool:
        """Whether an amount past due is above both thresholds."""
        return past_due_minor > self.minor and past_due_minor * 10_000 > exposure_minor * self.bps


def material_since(  # noqa: PLR0913  a loan is its parts
    schedule: Sequence[Instalment],
    standing: Sequence[Transaction],
    *,
    until: date,
    past_due_on: date,
    materiality: Materiality,
    exposure_minor: int,
) -> date:
    """Date since which a loan whose past-due amount is material has been so without a break.

    Unlike days past due, this counter does not move on when the oldest instalment is paid while enough of the others
    is not, and begins anew when a payment brings the amount below a threshold, if only for a day. The amount on a date
    is all that fell due by then less all that was paid by then; the exposure is today's on every date.

    Args:
        schedule: Instalments of one loan, as deferred.
        standing: Its entries that count, as ``standing_transactions`` gives them.
        until: First date that is not due yet.
        past_due_on: Since when the loan is past due; the answer where payments in advance hide the amounts' course.
        materiality: Thresholds.
        exposure_minor: Outstanding principal.

    Source:
        ARR-AGE-11; CRR Art. 178(2)(d), Delegated Regulation (EU) 2018/171, EBA/GL/2016/07 16-20.
    """
    changes: Counter[date] = Counter()
    for each in schedule:
        changes[each.due_on] += each.total_minor if each.due_on < until else 0
    for entry in standing:
        if entry.effective_on < until or entry.kind_code in PAYMENT_KINDS:
            sign = 1 if entry.kind_code in ADDING_KINDS else -1
            changes[entry.effective_on] += sign * entry.amount_minor
    since, amount = None, 0
    for on in sorted(changes):
        amount += changes[on]
        if not materiality.is_material(amount, exposure_minor):
            since = None
        elif since is None:
            since = on
    return since or past_due_on
