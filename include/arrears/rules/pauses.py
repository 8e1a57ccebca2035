"""Days that do not count: pauses of a loan, half-open and merged.

Belongs here: interval arithmetic of pauses. What a pause is subtracted from stands in ``ageing``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from arrears.errors import RuleInputError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Pause:
    """Half-open: ``starts_on`` is paused, ``ends_on`` counts again; None while the pause lasts."""

    starts_on: date
    ends_on: date | None = None


def merged(pauses: Sequence[Pause], until: date) -> list[Pause]:
    """Disjoint pauses, ascending, cut at ``until``; overlapping and touching ones become one, empty ones vanish.

    Args:
        pauses: Of one loan, any order; they may overlap and repeat.
        until: First day that no longer matters; a lasting pause ends there.

    Raises:
        RuleInputError: A pause ends before it starts.
    """
    result: list[tuple[date, date]] = []
    for pause in sorted(pauses, key=lambda each: each.starts_on):
        if pause.ends_on is not None and pause.ends_on < pause.starts_on:
            raise RuleInputError("a pause that ends before it starts", "starts_on <= ends_on", "pauses")
        ends_on = min(pause.ends_on or until, until)
        if ends_on <= pause.starts_on:
            continue
        if result and pause.starts_on <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], ends_on))
        else:
            result.append((pause.starts_on, ends_on))
    return [Pause(starts_on, ends_on) for starts_on, ends_on in result]


def paused_days(pauses: Sequence[Pause], since: date, until: date) -> int:
    """Paused days inside the half-open span [since, until), each counted once.

    Args:
        pauses: Of one loan, any order; they may overlap and repeat. One before ``since`` deducts nothing.
        since: First day of the span.
        until: First day after it.

    Source:
        ARR-AGE-05.
    """
    spans = ((max(each.starts_on, since), each.ends_on or until) for each in merged(pauses, until))
    return sum(max(timedelta(0), ends_on - starts_on).days for starts_on, ends_on in spans)
