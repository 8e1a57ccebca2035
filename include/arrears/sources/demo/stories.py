"""A handful of loans whose days are arranged, so that every demo ledger shows what the random ones may miss.

Belongs here: the first loans of the ledger, one line each. Days count back from the last day anybody knows of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from arrears.sources.demo.calendar import NEVER

if TYPE_CHECKING:
    from arrears.sources.demo.plan import Plan

COUNT = 6
TOLD = 3  # the slot the story is about
LEAST_LOANS = 200  # smaller ledgers stay purely random
PERIOD_DAYS = 30


@dataclass(frozen=True)
class Story:
    """One arranged loan.

    Attributes:
        name: What it shows.
        due: Days before the end on which the told instalment falls due; those before it were paid on time.
        effective: Days before the end on which it is paid; None while it is not.
        booked: Days before the end on which that is booked.
        bounced: Days before the end on which a debit on the due day is returned; None without one.
        part: Days before the end on which a third of it is paid; None without that.
        flag: Flag that holds at the end, or "".
    """

    name: str
    due: int
    effective: int | None = None
    booked: int | None = None
    bounced: int | None = None
    part: int | None = None
    flag: str = ""


STORIES = (
    Story("newly_overdue", due=0),
    Story("paid_the_day_before", due=3, effective=0, booked=0),
    Story("debit_returned", due=4, bounced=0),
    Story("late_booked_transfer", due=5, effective=5, booked=0),
    Story("paid_in_part", due=20, part=0),
    Story("disputed", due=12, flag="dispute"),
    Story("in_hardship", due=40, flag="hardship"),
    Story("opted_out", due=6, flag="opt_out"),
    Story("deceased", due=25, flag="deceased"),
    Story("represented", due=17, flag="attorney_known"),
    Story("insolvent", due=70, flag="bankruptcy_stay"),
    Story("at_risk", due=9, flag="self_harm_risk"),
)


def place(plan: Plan) -> None:
    """Give the first loans of the ledger the schedules their stories need, in place; before any amount is spread."""
    if plan.first != 1 or plan.loans < LEAST_LOANS:
        return
    for row, story in enumerate(STORIES):
        slots = np.arange(COUNT)
        plan.story[row] = story.name
        plan.count[row] = COUNT
        plan.cells.due[row] = NEVER
        plan.cells.due[row, :COUNT] = plan.calendar.end - story.due + (slots - TOLD) * PERIOD_DAYS
        plan.disbursed[row] = plan.cells.due[row, 0] - PERIOD_DAYS


def play(plan: Plan) -> None:
    """Pay the arranged loans as their stories say, in place; after everybody else has been planned."""
    end = plan.calendar.end
    for row in np.flatnonzero(plan.story != "").tolist():
        story, cells = STORIES[row], plan.cells
        unpaid = story.effective is None or story.booked is None
        cells.reset(row)
        cells.due[row, COUNT:] = NEVER
        cells.effective[row, :TOLD] = cells.booked[row, :TOLD] = cells.due[row, :TOLD]
        if not unpaid:
            cells.effective[row, TOLD:COUNT] = cells.booked[row, TOLD:COUNT] = cells.due[row, TOLD:COUNT]
            cells.effective[row, TOLD] = end - (story.effective or 0)
            cells.booked[row, TOLD] = end - (story.booked or 0)
        if story.bounced is not None:
            cells.bounce_on[row, TOLD] = cells.due[row, TOLD]
            cells.bounced_on[row, TOLD] = end - story.bounced
        if story.part is not None:
            cells.part_on[row, TOLD] = end - story.part
            cells.part_minor[row, TOLD] = cells.scheduled[row, TOLD] // 3
        plan.grace[row] = -1
        plan.charged_off[row] = plan.ended[row] = NEVER
        plan.ended_code[row] = ""
        plan.pauses = plan.pauses.take(plan.pauses.loan != row)
        cells.settled_on[row, :-1] = cells.visible[row, 1:]
