"""How people pay: on time, early, late, in part, by a debit that bounces, not at all.

Belongs here: every draw that turns a schedule into a plan of payments, and the rates behind them. The rates are
our judgement; ``tests/sources/test_demo_bands.py`` holds the resulting shares to the bands the demo must show.
Order matters: the clearing day of each instalment first, then charge-off and endings, then what happens in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from arrears.sources.demo.calendar import NEVER, Calendar, choice, drawn, drawn_evenly, uniform_evenly
from arrears.sources.demo.cells import SLOTS
from arrears.sources.demo.plan import Pauses

if TYPE_CHECKING:
    import numpy.typing as npt

    from arrears.sources.demo.calendar import Days, Mask
    from arrears.sources.demo.plan import Plan

CHARGE_OFF_DAYS = 180
SEASONING = np.array([2.2, 1.6, 1.2, 1.0, 0.8, 0.7, 0.65, 0.6, 0.55, 0.5, 0.5, 0.5, 0.0])  # by instalment
LOST = np.array(
    [0.13, 0.085, 0.055, 0.037, 0.028, 0.018, 0.01, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
)  # never meant to pay, of those entered
REST_LIFT = 1.4
RELIEF = (("payment_holiday", 2), ("disaster_area", 1))
SECOND_PAUSE = ((0, 2), (-5, 1), (6, 1))  # days after the end of the first: touching, overlapping, apart
SHORT_MINOR = ((1, 1), (40, 1), (99, 1), (100, 1), (101, 1), (250, 1))  # around the tolerance of 100


def behave(plan: Plan, random: np.random.Generator) -> None:
    """Plan every payment of a chunk, in place."""
    _clear(plan, random)
    _cancel(plan, random)
    _charge_off(plan, random)
    _end(plan, random)
    _twist(plan, random)
    plan.pauses = _pauses(plan, random)


def _clear(plan: Plan, random: np.random.Generator) -> None:
    """Day of the clearing payment of every instalment, and the day it is booked."""
    cells, calendar = plan.cells, plan.calendar
    shape = cells.due.shape
    risk = plan.risk[plan.borrower][:, None] * SEASONING * (0.55 + plan.count[:, None] / 22)
    risk = risk * np.where(calendar.is_rest(cells.due), REST_LIFT, 1.0)
    entered = drawn_evenly(random, np.minimum(plan.lender.paying.entry_rate * risk, 0.7) * cells.exists, cells.due)
    early = np.where(drawn(random, 0.3, shape), random.integers(0, 8, shape), 0)
    delay = np.full(shape, NEVER, dtype=np.int32)
    delay[entered] = _delays(plan.lender.paying.survival, uniform_evenly(random, cells.due[entered]))
    delay[drawn_evenly(random, LOST * entered, cells.due)] = NEVER
    delay = np.where(delay >= NEVER, NEVER, np.where(delay > 1, calendar.shifted(cells.due + delay, random), 0))
    late = np.where(delay == 0, cells.due + 1, delay)
    meant = np.where(entered, late, cells.due - early)
    meant = np.where(cells.exists, meant, NEVER).astype(np.int32)
    meant = _prepaid(plan, meant, random)
    lag = np.where(drawn(random, 0.45, shape), random.integers(1, 25, shape), 0)
    wait = _booking_lag(shape, entered, random)
    before = plan.disbursed
    for slot in range(SLOTS):
        forced = meant[:, slot] < before
        effective = np.where(forced, before + np.where(meant[:, slot] > cells.due[:, slot], lag[:, slot], 0), 0)
        effective = np.where(forced, effective, meant[:, slot])
        booked = np.maximum(effective + wait[:, slot], plan.disbursed)
        never = (effective >= NEVER) | ~cells.exists[:, slot]
        cells.effective[:, slot] = np.where(never, NEVER, effective)
        cells.booked[:, slot] = np.where(never, NEVER, booked)
        before = np.where(cells.exists[:, slot], cells.visible[:, slot], before)


def _delays(survival: tuple[tuple[int, float], ...], chance: npt.NDArray[np.float64]) -> Days:
    """Whole days from due day to payment, by the survival curve; NEVER beyond its end."""
    after, unpaid = np.array(survival).T
    paid = 1 - unpaid
    days = np.ceil(np.interp(chance, paid, after))
    return np.where(chance > paid[-1], NEVER, np.maximum(days, 1)).astype(np.int32)


def _prepaid(plan: Plan, meant: Days, random: np.random.Generator) -> Days:
    """Some loans pay all that is left on one day before an instalment falls due."""
    loans = plan.loans
    chosen = drawn(random, 0.05, loans)[:, None]
    slot = np.floor(random.random(loans) * plan.count).astype(np.int64)
    day = plan.cells.due[np.arange(loans), slot] - random.integers(1, 26, loans)
    after = np.arange(SLOTS) >= slot[:, None]
    return np.where(chosen & after & plan.cells.exists, np.maximum(day, plan.disbursed + 1)[:, None], meant)


def _booking_lag(shape: tuple[int, ...], entered: Mask, random: np.random.Generator) -> Days:
    """Days from crediting to booking: mostly none, sometimes a late-booked transfer, rarely the evening before."""
    late_booked = drawn(random, np.where(entered, 0.03, 0.004), shape)
    lag = np.where(late_booked, random.integers(1, 7, shape), np.where(drawn(random, 0.003, shape), -1, 0))
    return lag.astype(np.int32)


def _cancel(plan: Plan, random: np.random.Generator) -> None:
    """A few loans are cancelled within days of disbursal: nothing is ever paid or owed."""
    day = plan.disbursed + random.integers(1, 8, plan.loans)
    chosen = drawn(random, 0.004, plan.loans) | (np.arange(plan.loans) >= plan.loans - plan.hosts)
    _end_on(plan, chosen, day, "cancelled")


def _end_on(plan: Plan, chosen: Mask, day: Days, code: str) -> None:
    plan.ended = np.where(chosen, day, plan.ended).astype(np.int32)
    plan.ended_code[chosen] = code
    gone = plan.cells.visible >= plan.ended[:, None]
    plan.cells.effective[gone] = NEVER
    plan.cells.booked[gone] = NEVER


def _charge_off(plan: Plan, random: np.random.Generator) -> None:
    """Charge off what is past due for half a year, within the month after it; a few pay it all afterwards."""
    cells = plan.cells
    day = cells.due + CHARGE_OFF_DAYS + random.integers(1, 31, plan.loans)[:, None]
    day = np.where(cells.exists & (cells.visible > day), day, NEVER).min(axis=1)
    plan.charged_off = np.where((plan.ended < day) | (day >= NEVER), NEVER, day).astype(np.int32)
    recovered = (plan.charged_off < NEVER) & drawn(random, 0.04, plan.loans)
    back_on = plan.charged_off + random.integers(5, 120, plan.loans)
    cleared = recovered[:, None] & cells.exists & (cells.visible > plan.charged_off[:, None])
    late_day = np.maximum(back_on[:, None], 0) + np.zeros((1, SLOTS), dtype=np.int32)
    cells.effective[cleared] = late_day[cleared]
    cells.booked[cleared] = late_day[cleared]


def _end(plan: Plan, random: np.random.Generator) -> None:
    """Charged-off loans are sold or settled in part; a few good ones move to another lender."""
    unpaid = (plan.cells.exists & (plan.cells.visible >= NEVER)).any(axis=1)
    off = unpaid & (plan.charged_off < NEVER) & (plan.ended >= NEVER)
    after = plan.charged_off + random.integers(15, 90, plan.loans)
    _end_on(plan, off & drawn(random, 0.35, plan.loans), after, "sold")
    off &= plan.ended >= NEVER
    _end_on(plan, off & drawn(random, 0.05, plan.loans), after, "settled")
    day = plan.disbursed + random.integers(40, 200, plan.loans)
    owing = (plan.cells.exists & (plan.cells.visible > day[:, None])).any(axis=1)
    performing = owing & (plan.charged_off >= NEVER) & (plan.ended >= NEVER)
    _end_on(plan, performing & drawn(random, 0.0008, plan.loans), day, "transferred")


def _twist(plan: Plan, random: np.random.Generator) -> None:
    """What happens between falling due and being cleared. At most one kind of it per instalment, penalties aside."""
    cells = plan.cells
    shape = cells.due.shape
    visible, ended = cells.visible, plan.ended[:, None]
    floor = np.concatenate([plan.disbursed[:, None], visible[:, :-1]], axis=1)  # money before it would be the left's
    alive = cells.exists & (floor < NEVER) & (plan.ended_code != "cancelled")[:, None]
    until = np.minimum(visible, ended)

    start = np.maximum(floor, cells.due - 2)
    room = np.minimum(until, start + 45) - start
    part = alive & (visible > cells.due) & (room > 0) & drawn(random, 0.07, shape)
    after_loss = plan.charged_off[:, None] + random.integers(5, 90, shape)
    oldest = alive & (visible >= NEVER) & (plan.charged_off < NEVER)[:, None]
    after_loss = np.maximum(after_loss, start)
    recovery = oldest & (after_loss < ended) & drawn(random, 0.15, shape)
    settlement = oldest & (plan.ended_code == "settled")[:, None] & ~recovery
    part |= recovery | settlement
    day = start + np.floor(random.random(shape) * np.maximum(room, 1)).astype(np.int32)
    day = np.where(settlement, ended, np.where(recovery, after_loss, day))
    cells.part_on = np.where(part, day, NEVER).astype(np.int32)
    cells.part_minor = np.where(part, (cells.scheduled * random.uniform(0.2, 0.8, shape)).astype(np.int64), 0)

    debit = np.maximum(cells.due, floor)
    back = debit + random.integers(1, 4, shape)
    bounce = alive & ~part & (back <= until) & (visible > cells.due) & drawn(random, 0.08, shape)
    cells.bounce_on = np.where(bounce, debit, NEVER).astype(np.int32)
    cells.bounced_on = np.where(bounce, back, NEVER).astype(np.int32)

    _refunds_and_charges(plan, alive & ~part & ~bounce, floor, until, random)
    _penalties(plan, alive, until, random)
    _shortfalls(plan, part | bounce, random)


def _refunds_and_charges(plan: Plan, free: Mask, floor: Days, until: Days, random: np.random.Generator) -> None:
    """Principal re-opened by a refund, fees charged later: on the next instalment, or on one of their own."""
    cells = plan.cells
    shape = cells.due.shape
    on = cells.due - 1 - random.integers(0, 20, shape)
    on[:, 0] = NEVER
    open_then = free & (on >= floor) & (on <= until) & (on < cells.due)
    refunded = np.zeros(shape, dtype=np.int64)
    refunded[:, 1:] = cells.principal[:, :-1] * 3 // 4
    chargeback = open_then & drawn(random, 0.0006, shape)
    cells.chargeback_on = np.where(chargeback, on, NEVER).astype(np.int32)
    cells.chargeback_minor = np.where(chargeback, refunded, 0)

    amount = random.integers(10, 51, shape) * 100
    on += 1  # up to the due day itself
    booked = on + random.integers(0, 3, shape)
    charge = open_then & ~chargeback & (booked <= until) & drawn(random, 0.001, shape)
    cells.charge_on = np.where(charge, on, NEVER).astype(np.int32)
    cells.charge_booked = np.where(charge, booked, NEVER).astype(np.int32)
    cells.charge_minor = np.where(charge, amount, 0)

    row = np.arange(plan.loans)
    last, extra = plan.count - 1, plan.count  # a charge after maturity makes an instalment of its own
    matured = cells.due[row, last]
    on_after = matured + random.integers(1, 30, plan.loans)
    mend = cells.visible[row, last]
    chosen = free[row, last] & (on_after < np.minimum(mend, plan.ended)) & drawn(random, 0.06, plan.loans)
    at, on_after, mend = (row[chosen], extra[chosen]), on_after[chosen], mend[chosen]
    cells.due[at] = cells.charge_on[at] = cells.charge_booked[at] = on_after
    cells.charge_minor[at] = amount[at]
    paid = np.where(mend < NEVER, mend + random.integers(0, 10, len(mend)), NEVER)
    paid = np.where(paid < plan.ended[chosen], paid, NEVER)
    cells.effective[at] = cells.booked[at] = paid


def _penalties(plan: Plan, alive: Mask, until: Days, random: np.random.Generator) -> None:
    """Half of what is more than ten days late draws one penalty; some of them are waived when the rest is paid."""
    cells = plan.cells
    shape = cells.due.shape
    on = cells.due + 10
    in_time = cells.effective <= on  # booked late, but credited in time: no penalty
    chosen = alive & ~in_time & (on < until) & (cells.scheduled > 0) & drawn(random, 0.5, shape)
    cells.penalty_on = np.where(chosen, on, NEVER).astype(np.int32)
    penalty = np.maximum(cells.scheduled * plan.lender.paying.penalty_bps // 10_000, 100)
    cells.penalty_minor = np.where(chosen, penalty, 0)
    cells.is_waived = chosen & (cells.visible < NEVER) & drawn(random, 0.1, shape)


def _shortfalls(plan: Plan, taken: Mask, random: np.random.Generator) -> None:
    """Some clearing payments are a little short, inside or just outside the tolerance, until the next one."""
    cells = plan.cells
    shape = cells.due.shape
    followed = np.zeros(shape, dtype=bool)
    followed[:, :-1] = taken[:, 1:]
    chosen = (cells.visible < NEVER) & (cells.scheduled > 0) & ~followed & drawn(random, 0.003, shape)
    cells.short_minor = np.where(chosen, choice(random, SHORT_MINOR, chosen.size).reshape(shape), 0)
    cells.settled_on[:, :-1] = cells.visible[:, 1:]


def _pauses(plan: Plan, random: np.random.Generator) -> Pauses:
    """Lawful deferrals: hardship agreed when late, payment holidays and disaster relief at any time."""
    calendar: Calendar = plan.calendar
    loans = plan.loans
    late = np.where(plan.cells.exists & (plan.cells.visible > plan.cells.due + 20), plan.cells.due, NEVER).min(axis=1)
    hardship = (late < NEVER) & drawn(random, 0.06, loans)
    relief = ~hardship & drawn(random, 0.006, loans)
    starts = np.where(hardship, late + random.integers(3, 40, loans), calendar.end - random.integers(0, 200, loans))
    in_life = (starts > plan.disbursed) & (starts < plan.ended) & (starts <= calendar.as_of)
    chosen = np.flatnonzero((hardship | relief) & in_life)
    starts = starts[chosen]
    hardship = hardship[chosen]
    size = len(chosen)
    length = np.where(hardship, random.integers(20, 91, size), random.integers(7, 31, size))
    ends = np.where(drawn(random, 0.15, size), NEVER, starts + length)
    known = starts + random.integers(0, 4, size)
    resumed = (ends < NEVER) & drawn(random, 0.3, size)  # first agreed without an end, resumed on the day
    reason = np.where(hardship, "hardship", choice(random, RELIEF, size))
    first = Pauses(
        chosen,
        starts.astype(np.int32),
        ends.astype(np.int32),
        known.astype(np.int32),
        np.where(resumed, np.maximum(ends, known), known).astype(np.int32),
        reason.astype("<U16"),
    )
    again = (ends < NEVER) & drawn(random, 0.25, size)
    shift = choice(random, SECOND_PAUSE, size)
    second_ends = np.where(drawn(random, 0.2, size), ends + shift, ends + shift + 14)  # some last no day at all
    second = Pauses(
        chosen,
        (ends + shift).astype(np.int32),
        second_ends.astype(np.int32),
        (ends + shift).astype(np.int32),
        (ends + shift).astype(np.int32),
        np.full(size, "extension", dtype="<U16"),
    ).take(again)
    return Pauses(
        *(np.concatenate([getattr(first, name), getattr(second, name)]) for name in first.__dataclass_fields__)
    )
