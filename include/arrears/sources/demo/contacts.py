"""What was tried in the last weeks: reminders before the due day, attempts on who is late.

Belongs here: the contact log and its shares. Who may be reached stands in ``people``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from arrears.sources.demo.calendar import NEVER, choice, drawn
from arrears.sources.demo.columns import customer_ids, days, ids, instants, texts
from arrears.sources.demo.people import mobile_ids
from arrears.sources.demo.schema import TABLES

if TYPE_CHECKING:
    import numpy.typing as npt

    from arrears.sources.demo.calendar import Days
    from arrears.sources.demo.people import People
    from arrears.sources.demo.plan import Plan

CONTACT_DAYS = 95  # sixty days of replay, each looking back five weeks
MIX = (  # up to so many days late
    (10, (("sms", 0.45), ("voice_bot", 0.40), ("call", 0.15))),
    (30, (("sms", 0.30), ("voice_bot", 0.30), ("call", 0.40))),
    (NEVER, (("sms", 0.20), ("call", 0.80))),
)
DIALLED = (
    *(("conversation", 0.09), ("no_answer", 0.58), ("rejected", 0.11), ("busy", 0.08)),
    *(("voicemail", 0.06), ("dropped", 0.05), ("not_in_service", 0.03)),
)
SENT = (("delivered", 0.93), ("sent", 0.07))
ON_WEEKDAYS, ON_SATURDAYS = 0.28, 0.12  # chance of an attempt on a late borrower; none on Sundays and at the festival
TWICE = 0.10
REMINDED, REMINDER_DAYS = 0.05, 2
FIRST_SECOND, LAST_SECOND = 9 * 3600, 20 * 3600
SUNDAY, SATURDAY = 6, 5


def contact_log(plan: Plan, parties: People, random: np.random.Generator) -> pa.Table:
    """One row per attempt of the last ``CONTACT_DAYS`` days."""
    cells, end = plan.cells, plan.calendar.end
    first = end - CONTACT_DAYS + 1
    ever_late = np.flatnonzero((cells.exists & (cells.due < end) & (cells.visible >= first)).any(axis=1))
    some, borrower = cells.take(ever_late), plan.borrower[ever_late]
    ended = plan.ended[ever_late]
    pieces = [_reminders(plan, parties, first, random)]
    for day in range(first, end + 1):
        chance = _chance(plan, day)
        unpaid = (some.due < day) & (some.visible >= day) & (ended > day)[:, None]
        oldest = np.where(unpaid, some.due, NEVER).min(axis=1)
        late = np.flatnonzero(oldest < NEVER)
        who, at = np.unique(borrower[late], return_index=True)
        tried = drawn(random, chance, len(who)) & (parties.held_from[who] > day)
        who, days_late = who[tried], day - oldest[late][at][tried]
        twice = np.flatnonzero(drawn(random, TWICE, len(who)))
        order = np.concatenate([np.zeros(len(who), dtype=np.int64), np.ones(len(twice), dtype=np.int64)])
        who, days_late = np.concatenate([who, who[twice]]), np.concatenate([days_late, days_late[twice]])
        channel = _channels(days_late, random)
        pieces.append((who, np.full(len(who), day, dtype=np.int32), channel, np.full(len(who), "collection"), order))
    return _log(plan, tuple(np.concatenate(column) for column in zip(*pieces, strict=True)), random)


def _chance(plan: Plan, day: int) -> float:
    one = np.array([day], dtype=np.int32)
    weekday = (day + 3) % 7
    if weekday == SUNDAY or plan.calendar.is_festival(one)[0]:
        return 0.0
    return ON_SATURDAYS if weekday == SATURDAY else ON_WEEKDAYS


def _channels(days_late: Days, random: np.random.Generator) -> npt.NDArray[np.str_]:
    channel = np.full(len(days_late), "sms", dtype="<U9")
    least = 0
    for most, weights in MIX:
        stage = (days_late > least) & (days_late <= most)
        channel[stage] = choice(random, weights, int(stage.sum()))
        least = most
    return channel


_Attempts = tuple[
    "npt.NDArray[np.intp]", "Days", "npt.NDArray[np.str_]", "npt.NDArray[np.str_]", "npt.NDArray[np.int64]"
]


def _reminders(plan: Plan, parties: People, first: int, random: np.random.Generator) -> _Attempts:
    """A text shortly before the due day, to some who have not paid yet; one a borrower and day."""
    day = plan.cells.due - REMINDER_DAYS
    due = (day >= first) & (day <= plan.calendar.end) & (plan.cells.visible > day)
    row, slot = np.nonzero(due & drawn(random, REMINDED, due.shape))
    day, who = day[row, slot], plan.borrower[row]
    _, once = np.unique(who.astype(np.int64) * NEVER + day, return_index=True)
    once = once[(parties.held_from[who[once]] > day[once]) & (plan.ended[row[once]] > day[once])]
    size = len(once)
    return who[once], day[once], np.full(size, "sms"), np.full(size, "reminder"), np.full(size, 9)


def _log(plan: Plan, attempts: tuple[npt.NDArray[Any], ...], random: np.random.Generator) -> pa.Table:
    who, day, channel, purpose, order = attempts
    size, numbers = len(who), plan.borrower_numbers[who]
    outcome = np.where(channel == "sms", choice(random, SENT, size), choice(random, DIALLED, size))
    called_back = (channel == "call") & (outcome == "conversation") & drawn(random, 0.08, size)
    return pa.Table.from_arrays(
        [
            ids("A", numbers * 1000 + (plan.calendar.end - day) * 10 + order, 11),
            customer_ids(numbers),
            mobile_ids(numbers),
            texts(channel),
            texts(np.where(called_back, "in", "out")),
            texts(purpose),
            instants(day, random.integers(FIRST_SECOND, LAST_SECOND, size)),
            texts(outcome),
            days(day),
        ],
        schema=TABLES["contact_log"].arrow,
    )
