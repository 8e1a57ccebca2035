"""A handful of loans whose days are arranged, so that every demo ledger shows what the random ones may miss.

Belongs here: the first loans of each ledger, one value each, and what to look at. Days count back from the last day
anybody knows of.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from arrears.sources.demo.calendar import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arrears.sources.demo.plan import Plan

COUNT = 6
LEAST_LOANS = 200  # smaller ledgers stay purely random
PERIOD_DAYS = 30
SUNDAY = 6


@dataclass(frozen=True)
class Tried:
    """One attempt to reach the borrower; it is made on the Monday where it would fall on a Sunday.

    Attributes:
        back: Days before the end.
        second: Of the local day.
        channel: Channel code.
        outcome: Outcome code.
    """

    back: int
    second: int
    channel: str
    outcome: str

    def day(self, end: int) -> int:
        """The day it is made on, never after the end."""
        day = end - self.back
        if (day + 3) % 7 != SUNDAY:
            return day
        return day + 1 if self.back else day - 1


@dataclass(frozen=True)
class Story:
    """One arranged loan.

    Attributes:
        name: What it shows.
        look_at: Where to see it.
        due: Days before the end on which the told instalment falls due; those before it were paid on time.
        told: Slot of that instalment.
        effective: Days before the end on which it is paid; None while it is not.
        booked: Days before the end on which that is booked; -1: on the day after the end.
        booked_second: Second of that day.
        pays_on: Whether those after it are paid too once it is.
        bounced: Days before the end on which a debit on the due day is returned; None without one.
        part: Days before the end on which a third of the oldest unpaid instalment is paid; None without that.
        charged_off: Days before the end on which the loan is charged off; None without that.
        transferred: Days before the end on which another loan takes its place; None without that.
        flag: Flag that holds since the day before the end, or "".
        tried: Every attempt to reach the borrower.
        zones: Zone of the mobile and of the address; () as drawn.
        has_wrong_number: Whether the mobile is known to be wrong since the day before the end.
        is_same_borrower: Whether it is a loan of the borrower of the story before.
        product: Product code; "" as drawn.
    """

    name: str
    look_at: str
    due: int
    told: int = 3
    effective: int | None = None
    booked: int | None = None
    booked_second: int | None = None
    pays_on: bool = True
    bounced: int | None = None
    part: int | None = None
    charged_off: int | None = None
    transferred: int | None = None
    flag: str = ""
    tried: tuple[Tried, ...] = ()
    zones: tuple[str, str] | tuple[()] = ()
    has_wrong_number: bool = False
    is_same_borrower: bool = False
    product: str = ""


TEN, ELEVEN, NOON, AFTERNOON = 10 * 3600, 11 * 3600, 12 * 3600, 15 * 3600
NIGHT = 22 * 3600 + 2400

_SHARED = (
    Story("newly_overdue", "explain: due yesterday, unpaid at the close: 1 day past due, newly overdue", due=0),
    Story("debit_returned", "explain: the debit of the due day came back; the old due date counts again", 4, bounced=0),
    Story(
        "late_booked_transfer",
        "explain, yesterday and today: credited on the due date, booked days later: it was never late",
        due=5,
        effective=5,
        booked=0,
    ),
    Story("paid_in_part", "explain: a third came yesterday; the oldest unpaid instalment gives the age", 20, part=0),
    Story("disputed", "core__case_loan_daily: held for the dispute, beside its undisputed sibling", 12, flag="dispute"),
    Story("undisputed", "core__case_loan_daily: same borrower, same case, worked", due=12, is_same_borrower=True),
    Story("in_hardship", "core__case_daily: held: hardship is looked into", 22, flag="hardship"),
    Story(
        "wrong_number",
        "core__contact_decision_daily: the mobile is known to be wrong, no channel that needs it is planned",
        due=18,
        has_wrong_number=True,
        tried=(Tried(2, TEN, "call", "no_answer"), Tried(1, TEN, "call", "not_in_service")),
    ),
    Story(
        "restructured",
        "core__loan_delinquency_daily: transferred, the loan after it takes its place",
        due=130,
        transferred=95,
    ),
    Story(
        "late_again",
        "explain: the restructured loan, late again on its third instalment",
        due=5,
        told=2,
        is_same_borrower=True,
        product="restructured",
    ),
    Story(
        "charged_off_and_paying",
        "explain: charged off six weeks ago, ages on, and pays: an instalment ten days ago, a third two days ago",
        due=230,
        effective=10,
        booked=10,
        pays_on=False,
        part=2,
        charged_off=45,
    ),
    Story("deceased", "core__case_daily: held: nobody is contacted", due=25, flag="deceased"),
    Story("represented", "core__case_daily: held: through the attorney only", due=17, flag="attorney_known"),
    Story("insolvent", "core__case_daily: held during bankruptcy", due=70, flag="bankruptcy_stay"),
    Story("at_risk", "core__case_daily: held: never a machine; a supervisor calls", due=9, flag="self_harm_risk"),
    Story(
        "opted_out_and_called",
        "raw__contact against raw__flag: called a day after saying stop: a breach",
        due=6,
        flag="opt_out",
        tried=(Tried(0, ELEVEN, "call", "rejected"),),
    ),
)

TRAVEL_STORIES = (
    *_SHARED,
    Story(
        "paid_before_the_bot",
        "raw__transaction and raw__contact of yesterday: the bot called an hour after the money came; cured today",
        due=3,
        effective=0,
        booked=0,
        booked_second=TEN,
        tried=(Tried(0, ELEVEN, "voice_bot", "conversation"),),
    ),
    Story(
        "refund_in_flight",
        "explain: the trip's refund, credited three days ago, is not booked yet; disputed, so nobody is chased",
        due=8,
        effective=2,
        booked=-1,
        flag="dispute",
    ),
    Story(
        "called_at_night",
        "raw__contact: called at 22:40 local time: a breach",
        due=13,
        zones=("Asia/Shanghai", "Asia/Shanghai"),
        tried=(Tried(1, NIGHT, "call", "no_answer"),),
    ),
)

LOAN_STORIES = (
    *_SHARED,
    Story(
        "paid_before_the_call",
        "raw__transaction and raw__contact of yesterday: called an hour after the money came; cured today",
        due=3,
        effective=0,
        booked=0,
        booked_second=NOON,
        tried=(Tried(0, NOON + 3600, "voice_bot", "conversation"),),
    ),
    Story(
        "between_two_zones",
        "out__contact_plan_daily: the phone is in New York, the address in Los Angeles: lawful hours of both",
        due=11,
        zones=("America/New_York", "America/Los_Angeles"),
    ),
    Story(
        "seven_dials",
        "core__contact_decision_daily: us_reg_f.calls_7_in_7, seven dials in six days",
        due=10,
        zones=("America/New_York", "America/New_York"),
        tried=tuple(
            Tried(back, second, "call", "no_answer")
            for back, second in ((5, NOON), (4, NOON), (3, NOON), (2, NOON), (2, AFTERNOON), (1, NOON), (0, AFTERNOON))
        ),
    ),
    Story("asked_to_cease", "core__contact_decision_daily: us_reg_f.cease, in writing", due=24, flag="written_cease"),
    Story(
        "called_at_night",
        "raw__contact: called at 22:40 in New York: a breach",
        due=13,
        zones=("America/New_York", "America/New_York"),
        tried=(Tried(1, NIGHT, "call", "no_answer"),),
    ),
)


def borrowers_of(stories: tuple[Story, ...]) -> list[int]:
    """Loans of each story's borrower, in order."""
    firsts = [row for row, story in enumerate(stories) if not story.is_same_borrower]
    return [following - first for first, following in pairwise([*firsts, len(stories)])]


def place(plan: Plan) -> None:
    """Give the first loans of the ledger the schedules their stories need, in place; before any amount is spread."""
    if plan.first != 1 or plan.loans < LEAST_LOANS:
        return
    for row, story in enumerate(plan.lender.stories):
        slots = np.arange(COUNT)
        plan.story[row] = story.name
        plan.count[row] = COUNT
        plan.cells.due[row] = NEVER
        plan.cells.due[row, :COUNT] = plan.calendar.end - story.due + (slots - story.told) * PERIOD_DAYS
        plan.disbursed[row] = plan.cells.due[row, 0] - PERIOD_DAYS
        if story.product:
            plan.product[row] = story.product


def play(plan: Plan) -> None:
    """Pay the arranged loans as their stories say, in place; after everybody else has been planned."""
    end = plan.calendar.end
    for row, story in told(plan):
        cells, slot = plan.cells, story.told
        cells.reset(row)
        cells.due[row, COUNT:] = NEVER
        cells.effective[row, :slot] = cells.booked[row, :slot] = cells.due[row, :slot]
        is_paid = story.effective is not None and story.booked is not None
        if is_paid:
            if story.pays_on:
                cells.effective[row, slot:COUNT] = cells.booked[row, slot:COUNT] = cells.due[row, slot:COUNT]
            cells.effective[row, slot] = end - (story.effective or 0)
            cells.booked[row, slot] = end - (story.booked or 0)
        if story.bounced is not None:
            cells.bounce_on[row, slot] = cells.due[row, slot]
            cells.bounced_on[row, slot] = end - story.bounced
        if story.part is not None:
            oldest = slot + is_paid
            cells.part_on[row, oldest] = end - story.part
            cells.part_minor[row, oldest] = cells.scheduled[row, oldest] // 3
        plan.grace[row] = -1
        plan.charged_off[row] = NEVER if story.charged_off is None else end - story.charged_off
        plan.ended[row] = NEVER if story.transferred is None else end - story.transferred
        plan.ended_code[row] = "" if story.transferred is None else "transferred"
        plan.pauses = plan.pauses.take(plan.pauses.loan != row)
        cells.settled_on[row, :-1] = cells.visible[row, 1:]


def told(plan: Plan) -> Iterator[tuple[int, Story]]:
    """Row and story of the chunk's arranged loans."""
    yield from ((row, plan.lender.stories[row]) for row in np.flatnonzero(plan.story != "").tolist())
