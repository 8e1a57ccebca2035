"""Which step of a path is due on a day: the pure rule, over steps whose days are already counted out.

Belongs here: due, waiting and done. What a strategy file says stands in ``strategy``; whether a step may be taken
stands in ``rules.contact``; which channel of it is, in ``plan``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from arrears.contact.strategy import Step

WINDOWS = (1, 7, 30, 90)  # days over which one path is compared with another
HORIZON_DAYS = 400


@dataclass(frozen=True)
class DueStep:
    """The step somebody is due, and its key."""

    step: Step
    occurrence: int
    step_key: str
    arm: str = ""


def step_key_of(person: str, episode: str, step_id: str, occurrence: int) -> str:
    """The key under which a step is taken at most once: never of date, channel, run or version.

    Args:
        person: person_id, or borrower_id where the source does not say.
        episode: What the path counts from: a case's opening, an instalment, a first loan.
        step_id: Stable id of the step.
        occurrence: Number of the repetition, from 0.
    """
    return hashlib.sha256(f"{person}|{episode}|{step_id}|{occurrence}".encode()).hexdigest()


def step_due(  # noqa: PLR0913  a question is its parts
    steps: Sequence[Step],
    *,
    age_days: int,
    person: str,
    episode: str,
    waiting_key: str | None,
    unplanned_days: int = 0,
) -> DueStep | None:
    """The step due today, or None.

    A step is due on its day. One that nobody could take then (blocked on every channel, or of a day that was not run in
    its time) is due again, with the same key, for ``catch_up_days``, unless another falls on today. Of two that fall on
    today the later one of the path goes, of two that wait the one that waits less.

    Args:
        steps: Of one path, each with its own day (``Segment.resolved``).
        age_days: Days since the episode began; negative before a due date.
        person: person_id, or borrower_id where the source does not say.
        episode: What the path counts from.
        waiting_key: Key of the step that the day before left to be taken.
        unplanned_days: Days right before this one that were not planned at all.

    Source:
        ARR-STR-01.
    """
    waiting, shortest = None, HORIZON_DAYS
    for step in sorted(steps, key=lambda step: -step.day):
        occurrence = step.occurrence_on(age_days)
        if occurrence is None:
            continue
        late_days = age_days - step.day_of(occurrence)
        if late_days > step.catch_up_days:
            continue
        due = DueStep(step, occurrence, step_key_of(person, episode, step.id, occurrence))
        if late_days == 0:
            return due
        if (due.step_key == waiting_key or late_days <= unplanned_days) and late_days < shortest:
            waiting, shortest = due, late_days
    return waiting


def contact_days(steps: Iterable[Step]) -> list[int]:
    """Days of a path, from its first to ``HORIZON_DAYS``, on which a step falls due, in order."""
    days = set()
    for step in steps:
        day = step.day
        while day <= HORIZON_DAYS and (day == step.day or (step.until_day is None or day <= step.until_day)):
            days.add(day)
            if step.repeat_every_days is None:
                break
            day += step.repeat_every_days
    return sorted(days)


def presses_harder(steps: Iterable[Step], than: Iterable[Step]) -> bool:
    """Whether the busiest 1, 7, 30 or 90 days of a path hold more contacts than another's."""
    mine, others = contact_days(steps), contact_days(than)
    return any(_most(mine, days) > _most(others, days) for days in WINDOWS)


def _most(days: Sequence[int], window: int) -> int:
    """The most contacts that fall within so many days on end."""
    return max((sum(first <= day < first + window for day in days) for first in days), default=0)
