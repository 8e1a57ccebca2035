"""Whether the source counts a loan as we do, figure by figure.

Belongs here: the readable definition of ``sql/core__source_difference_daily.sql``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date


@dataclass(frozen=True)
class Overdue:
    """An overdue instalment.

    Attributes:
        overdue_on: Since when.
        past_due_days: Contractual days.
        open_minor: Not paid, by component.
    """

    overdue_on: date
    past_due_days: int
    open_minor: Mapping[str, int]


def counted_by_source(
    overdue: Sequence[Overdue], aged_components: Collection[str], tolerance_minor: int
) -> tuple[int, int]:
    """Days and amount past due of the components that the source counts.

    Args:
        overdue: Overdue instalments of one loan, any order.
        aged_components: What the source counts; late fees alone are no arrears to many.
        tolerance_minor: Cumulative shortfall up to which a loan counts as paid, as in ageing.

    Returns:
        Days of the oldest instalment beyond tolerance that still owes any of these components, and their amount over
        all; both 0 within tolerance.

    Source:
        ARR-TIE-01.
    """
    days = total = 0
    is_beyond = False
    for _, group in groupby(sorted(overdue, key=lambda one: one.overdue_on), key=lambda one: one.overdue_on):
        together = [(one, sum(one.open_minor.get(name, 0) for name in aged_components)) for one in group]
        total += sum(counted for _, counted in together)
        is_beyond = is_beyond or total > tolerance_minor
        if is_beyond:
            days = max(days, *(one.past_due_days for one, counted in together if counted > 0), 0)
    return (days, total) if is_beyond else (0, 0)


def differs(ours: int, theirs: int | None, tolerance: int) -> bool:
    """Whether a figure of the source is another than ours; one that it does not give is not compared.

    Source:
        ARR-TIE-02.
    """
    return theirs is not None and abs(ours - theirs) > tolerance


def payoff_parts(parts: Sequence[int | None]) -> int | None:
    """Sum of the source's own principal, interest, fees and penalties: what its payoff must be; None: one is missing.

    Source:
        ARR-TIE-03.
    """
    return None if any(part is None for part in parts) else sum(part for part in parts if part is not None)
