"""Days that do not count, and due dates that move: pauses of a loan, half-open and merged.

Belongs here: interval arithmetic of pauses. What a pause is subtracted from stands in ``ageing``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from arrears.errors import RuleInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arrears.rules.account import Instalment, Transaction

FREEZE, DEFERRAL, CONTACT_HOLD = "classification_freeze", "deferral", "contact_hold"
EFFECTS = (FREEZE, DEFERRAL, CONTACT_HOLD)


@dataclass(frozen=True)
class Pause:
    """Half-open: ``starts_on`` is paused, ``ends_on`` counts again; None while the pause lasts.

    Attributes:
        starts_on: First day.
        ends_on: Day after the last.
        effect_code: One of ``EFFECTS``: a freeze takes days off and holds the bucket, a deferral moves due dates, a
            contact hold stops contact and nothing else; None: a freeze.
    """

    starts_on: date
    ends_on: date | None = None
    effect_code: str | None = None

    @property
    def effect(self) -> str:
        """What it does."""
        return self.effect_code or FREEZE


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


def with_effect(pauses: Sequence[Pause], effect: str) -> list[Pause]:
    """Those that do this."""
    return [each for each in pauses if each.effect == effect]


def deferred(schedule: Sequence[Instalment], pauses: Sequence[Pause], until: date) -> list[Instalment]:
    """The schedule with due dates moved by the loan's deferrals; amounts and numbers stay.

    A deferral moves everything due on or after its first day by its length, across the board, so that the plan ends
    as much later. One that touches or overlaps another lengthens it; a later one moves what the first moved into it
    or beyond. While a deferral lasts without an end nothing it moves falls due.

    Args:
        schedule: Instalments of one loan, any order.
        pauses: Of the loan, any effect.
        until: First day that no longer matters.

    Source:
        ARR-AGE-12; Reserve Bank of India, DOR.No.BP.BC.47/21.04.048/2019-20 (schedule and residual tenor shifted).
    """
    lasting = [replace(each, ends_on=each.ends_on or max(until, each.starts_on)) for each in pauses]
    moves, moved = [], timedelta(0)
    for each in merged(with_effect(lasting, DEFERRAL), date.max):
        length = (each.ends_on or until) - each.starts_on
        moves.append((each.starts_on - moved, length))
        moved += length
    return [
        replace(row, due_on=row.due_on + sum((by for since, by in moves if row.due_on >= since), timedelta(0)))
        for row in schedule
    ]


def classified_on(pauses: Sequence[Pause], entries: Sequence[Transaction], as_of: date) -> date:
    """Date whose day count the bucket is of: ``as_of``, or, while a freeze holds, the last day it did not.

    A freeze holds the bucket on its first day and on the day counting resumes too, and goes on with one that begins by
    the day after. An entry made meanwhile is looked at on its day: paying lets nobody sit in a bucket left behind.

    Args:
        pauses: Of one loan, any effect.
        entries: Its entries known by ``as_of``, reversals and annulled ones too; a charge alone classifies nothing.
        as_of: Date the answer holds for.

    Source:
        ARR-BKT-03.
    """
    frozen_from, frozen_to = None, date.min
    for each in sorted(with_effect(pauses, FREEZE), key=lambda each: each.starts_on):
        if each.starts_on > as_of:
            break
        if frozen_from is None or each.starts_on > frozen_to + timedelta(days=1):
            frozen_from, frozen_to = each.starts_on, date.min
        frozen_to = max(frozen_to, each.ends_on or as_of)
    if frozen_from is None or frozen_to < as_of:
        return as_of
    entered = [min(as_of, each.entered_on) for each in entries if each.kind_code != "charge"]
    return max([frozen_from - timedelta(days=1), *entered])
