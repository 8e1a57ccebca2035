"""What was tried: reminders before the due day, attempts on who is late, and what was promised in them.

Belongs here: the contact log, the promises, and their shares. Who may be reached stands in ``people``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from arrears.sources.demo.calendar import NEVER, choice, drawn
from arrears.sources.demo.columns import customer_ids, days, ids, instants, loan_ids, texts
from arrears.sources.demo.people import mobile_ids
from arrears.sources.demo.plan import Promises
from arrears.sources.demo.schema import TABLES
from arrears.sources.demo.staff import agent_ids
from arrears.sources.demo.stories import SUNDAY, told

if TYPE_CHECKING:
    import numpy.typing as npt

    from arrears.sources.demo.calendar import Days
    from arrears.sources.demo.people import People
    from arrears.sources.demo.plan import Plan
    from arrears.sources.demo.staff import Roster

DIALLED = (
    *(("conversation", 0.12), ("no_answer", 0.55), ("rejected", 0.11), ("busy", 0.08)),
    *(("voicemail", 0.06), ("dropped", 0.05), ("not_in_service", 0.03)),
)
SENT = (("delivered", 0.93), ("sent", 0.07))
ON_WEEKDAYS, ON_SATURDAYS = 0.28, 0.12  # chance of an attempt on a late borrower; none on Sundays and while all rest
SATURDAY = 5
TWICE = 0.10
REMINDED, REMINDER_DAYS = 0.05, 2
SOON_DAYS = 10  # who will pay within so many days mostly promises it; who will not promises less often
PROMISED_SOON, PROMISED_LATE = 0.90, 0.11
PROMISE_DAYS = 10  # longest time that is given
AWAY = ("Europe/Paris", "Asia/Urumqi")  # nine in the morning in Shanghai is night there
AWAY_FROM, AWAY_SECONDS = 16 * 3600, 4 * 3600
CONTACTS_A_BORROWER = 10_000  # numbers kept for each borrower's contacts


@dataclass(frozen=True)
class Attempts:
    """Flat arrays, one row per attempt.

    Attributes:
        who: Row of the borrower.
        loan: Row of the loan it was about.
        day: Day.
        second: Of that day.
        channel: Channel code.
        purpose: Purpose code.
        outcome: Outcome code.
        order: Number of the attempt on that borrower and day.
    """

    who: npt.NDArray[np.intp]
    loan: npt.NDArray[np.intp]
    day: Days
    second: npt.NDArray[np.int64]
    channel: npt.NDArray[np.str_]
    purpose: npt.NDArray[np.str_]
    outcome: npt.NDArray[np.str_]
    order: npt.NDArray[np.int64]

    def numbers(self, plan: Plan) -> npt.NDArray[np.int64]:
        """Number of each contact in the whole ledger."""
        back = (plan.calendar.end - self.day).astype(np.int64)
        return plan.borrower_numbers[self.who] * CONTACTS_A_BORROWER + back * 10 + self.order


def attempts(plan: Plan, parties: People, random: np.random.Generator) -> Attempts:
    """Every attempt since the first day of the log."""
    drawn_ones = _attempts(plan, parties, random)
    arranged = [
        (plan.borrower[row], row, each.day(plan.calendar.end), each.second, each.channel, each.outcome, number)
        for row, story in told(plan)
        for number, each in enumerate(story.tried)
    ]
    if not arranged:
        return drawn_ones
    free = ~np.isin(drawn_ones.who, plan.borrower[plan.story != ""])
    who, loan, day, second, channel, outcome, order = (np.array(column) for column in zip(*arranged, strict=True))
    extra = Attempts(who, loan, day.astype(np.int32), second, channel, np.full(len(who), "collection"), outcome, order)
    pairs = ((getattr(drawn_ones, name)[free], getattr(extra, name)) for name in extra.__dataclass_fields__)
    return Attempts(*(np.concatenate(pair) for pair in pairs))


def _attempts(plan: Plan, parties: People, random: np.random.Generator) -> Attempts:
    cells, end = plan.cells, plan.calendar.end
    first = plan.calendar.logged_from
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
        who, loan = who[tried], late[at][tried]
        twice = np.flatnonzero(drawn(random, TWICE, len(who)))
        order = np.concatenate([np.zeros(len(who), dtype=np.int64), np.ones(len(twice), dtype=np.int64)])
        who, loan = np.concatenate([who, who[twice]]), np.concatenate([loan, loan[twice]])
        channel = _channels(plan, day - oldest[loan], random)
        days_of = np.full(len(who), day, dtype=np.int32)
        pieces.append((who, ever_late[loan], days_of, channel, np.full(len(who), "collection"), order))
    who, loan, day_of, channel, purpose, order = (np.concatenate(column) for column in zip(*pieces, strict=True))
    size = len(who)
    outcome = np.where(channel == "sms", choice(random, SENT, size), choice(random, DIALLED, size))
    second = random.integers(*plan.lender.reaching.dialled, size)
    second = np.where(_are_away(plan, parties)[who], AWAY_FROM + second % AWAY_SECONDS, second)
    return Attempts(who, loan, day_of, second, channel, purpose, outcome, order)


def _are_away(plan: Plan, parties: People) -> npt.NDArray[np.bool_]:
    """(borrowers,) whose phone is too far west for the hours in which the others are dialled."""
    mobile = parties.tables["contact_point"]["timezone"][: len(plan.borrower_numbers)]
    return np.isin(np.array(mobile.to_pylist(), dtype=object), AWAY)


def _chance(plan: Plan, day: int) -> float:
    one = np.array([day], dtype=np.int32)
    weekday = (day + 3) % 7
    if weekday == SUNDAY or plan.calendar.is_rest(one)[0]:
        return 0.0
    return ON_SATURDAYS if weekday == SATURDAY else ON_WEEKDAYS


def _channels(plan: Plan, days_late: Days, random: np.random.Generator) -> npt.NDArray[np.str_]:
    channel = np.full(len(days_late), "sms", dtype="<U9")
    least = 0
    for most, weights in plan.lender.reaching.mix:
        stage = (days_late > least) & (days_late <= most)
        channel[stage] = choice(random, weights, int(stage.sum()))
        least = most
    return channel


_Drawn = tuple[
    "npt.NDArray[np.intp]",
    "npt.NDArray[np.intp]",
    "Days",
    "npt.NDArray[np.str_]",
    "npt.NDArray[np.str_]",
    "npt.NDArray[np.int64]",
]


def _reminders(plan: Plan, parties: People, first: int, random: np.random.Generator) -> _Drawn:
    """A text shortly before the due day, to some who have not paid yet; one a borrower and day."""
    day = plan.cells.due - REMINDER_DAYS
    due = (day >= first) & (day <= plan.calendar.end) & (plan.cells.visible > day)
    row, slot = np.nonzero(due & drawn(random, REMINDED, due.shape))
    day, who = day[row, slot], plan.borrower[row]
    _, once = np.unique(who.astype(np.int64) * NEVER + day, return_index=True)
    once = once[(parties.held_from[who[once]] > day[once]) & (plan.ended[row[once]] > day[once])]
    size = len(once)
    return who[once], row[once], day[once], np.full(size, "sms"), np.full(size, "reminder"), np.full(size, 9)


def contact_log(plan: Plan, tried: Attempts, random: np.random.Generator) -> pa.Table:
    """One row per attempt."""
    numbers = plan.borrower_numbers[tried.who]
    talked = (tried.channel == "call") & (tried.outcome == "conversation")
    called_back = talked & drawn(random, 0.08, len(numbers))
    return pa.Table.from_arrays(
        [
            ids("A", tried.numbers(plan), 12),
            customer_ids(numbers),
            mobile_ids(numbers),
            texts(tried.channel),
            texts(np.where(called_back, "in", "out")),
            texts(tried.purpose),
            instants(plan.calendar, tried.day, tried.second),
            texts(tried.outcome),
            days(tried.day),
        ],
        schema=TABLES["contact_log"].arrow,
    )


def promises(plan: Plan, tried: Attempts, roster: Roster, random: np.random.Generator) -> Promises:
    """What was promised in conversations about a late instalment, and whether the money came.

    A promise asks for the oldest unpaid instalment without its penalty, in whole units of the currency. It is kept
    when that instalment is cleared by money credited by the promised day.
    """
    talked = np.flatnonzero((tried.outcome == "conversation") & (tried.purpose == "collection"))
    loan, day = tried.loan[talked], tried.day[talked]
    some = plan.cells.take(loan)
    unpaid = (some.due < day[:, None]) & (some.effective >= day[:, None])
    oldest = plan.cells.take((loan, unpaid.argmax(axis=1)))
    will_pay = oldest.effective <= day + SOON_DAYS
    chosen = drawn(random, np.where(will_pay, PROMISED_SOON, PROMISED_LATE), len(loan))
    given = random.integers(2, PROMISE_DAYS + 1, len(loan))
    due_on = np.where(will_pay, oldest.effective + random.integers(0, 3, len(loan)), day + given)
    penalty = np.where(oldest.penalty_on < day, oldest.penalty_minor, 0)  # may be waived
    amount = (sum(oldest.open_at(day - 1)) - penalty - oldest.short_minor) // 100 * 100
    chosen &= (amount > 0) & unpaid.any(axis=1) & (plan.story[loan] == "")
    kept_on = np.where(oldest.effective <= due_on, oldest.visible, NEVER)
    by_machine = tried.channel[talked] == "voice_bot"
    return Promises(
        loan[chosen],
        tried.numbers(plan)[talked][chosen],
        np.where(by_machine, 0, roster.somebody(day, random))[chosen],
        day[chosen],
        (tried.second[talked] + random.integers(60, 400, len(talked)))[chosen],
        amount[chosen],
        due_on[chosen].astype(np.int32),
        kept_on[chosen].astype(np.int32),
    )


def promise(plan: Plan) -> pa.Table:
    """One row per promise made so far."""
    made = plan.promises
    size = len(made.loan)
    agent: Any = pc.if_else(pa.array(made.agent > 0), agent_ids(made.agent), pa.scalar(None, pa.string()))
    return pa.Table.from_arrays(
        [
            ids("R", made.contact, 12),
            loan_ids(plan.numbers[made.loan]),
            ids("A", made.contact, 12),
            agent,
            instants(plan.calendar, made.made_on, made.second),
            pa.array(made.amount_minor),
            pa.array([plan.lender.currency] * size, pa.string()),
            days(made.due_on),
            pa.array(["transfer"] * size, pa.string()),
            days(made.made_on),
        ],
        schema=TABLES["promise"].arrow,
    )
