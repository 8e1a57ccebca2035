"""A second opinion on arrears: plain Python and ``Decimal``, written from the rules in words, without the package.

It shares no line with the engine. Money is ``Decimal`` in major units, pauses are sets of days, whether an entry stands
is asked of its reversals one after the other. It is slow and is meant to be read.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache

NOTHING = Decimal(0)
ORDER = ("penalty", "fee", "interest", "principal")
PAYS = {"repayment", "waiver", "goodwill_credit", "merchant_refund", "payout_refund"}
OPEN = {"active", "charged_off"}
LONG_AGO = datetime(1, 1, 1)  # noqa: DTZ001  instants here are local already
RANGES = ((0, "0"), (30, "1-30"), (60, "31-60"), (90, "61-90"), (10**9, "91+"))


@dataclass(frozen=True)
class Due:
    """An instalment: amounts in major units, by component."""

    seq: int
    on: date
    amounts: dict[str, Decimal]
    is_down_payment: bool = False


@dataclass(frozen=True)
class Entry:
    """A booking: ``known`` is the local instant at which it was booked."""

    name: str
    kind: str
    on: date
    amount: Decimal
    known: datetime
    undoes: str | None = None
    component: str = "fee"

    @property
    def counts_from(self) -> date:
        """A charge may be known before it is due; all else counts from its own date."""
        return min(self.on, self.known.date()) if self.kind == "charge" else self.on


@dataclass(frozen=True)
class Debt:
    """A loan with all that ever happened on it."""

    name: str
    schedule: tuple[Due, ...]
    entries: tuple[Entry, ...]
    pauses: tuple[tuple[date, date | None], ...] = ()
    status: str = "active"
    grace: int | None = None


@dataclass
class Lot:
    """An instalment with what was put on it and what was paid of it."""

    seq: int
    on: date
    owed: dict[str, Decimal]
    paid: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(ORDER, NOTHING))
    taken_back: list[tuple[date, Decimal]] = field(default_factory=list)


@dataclass(frozen=True)
class Policy:
    """How days are counted."""

    is_due_day_counted: bool = False
    grace: int = 0
    tolerance: Decimal = NOTHING


@dataclass(frozen=True)
class Answer:
    """What is said of a loan on a day."""

    since: date
    past_due_days: int
    delinquent_days: int
    bucket: str
    by_component: tuple[Decimal, ...]


def answers(debt: Debt, days: list[date], policy: Policy) -> dict[date, Answer]:
    """Answers for the days on which something is past due; other days are left out."""
    if debt.status not in OPEN:
        return {}
    turns = sorted({entry.counts_from for entry in debt.entries})
    found, lots, last_turn = {}, None, None
    frozen = _paused_ordinals(debt, max(days) + timedelta(days=2))
    for day in sorted(days):
        turn = bisect_left(turns, day + timedelta(days=1))
        if turn != last_turn:
            lots, last_turn = _account(debt, day), turn
        answer = _judge(debt, lots, frozen, day, policy)
        if answer is not None:
            found[day] = answer
    return found


def _account(debt: Debt, day: date) -> list[Lot]:  # noqa: C901  told in one go, as the rules are
    counting = [entry for entry in debt.entries if entry.counts_from <= day]
    undoing: dict[str, list[Entry]] = {}
    for entry in counting:
        if entry.kind == "reversal":
            undoing.setdefault(entry.undoes, []).append(entry)

    @cache
    def stands(name: str) -> bool:
        return not any(stands(each.name) for each in undoing.get(name, ()))

    left = [entry for entry in counting if entry.kind != "reversal" and stands(entry.name)]
    left.sort(key=lambda entry: (entry.counts_from, entry.known, entry.name))
    lots = [Lot(due.seq, due.on, dict(due.amounts)) for due in debt.schedule]
    by_seq = {lot.seq: lot for lot in lots}
    goes_to, homeless = {}, []
    for entry in left:
        if entry.kind in PAYS:
            continue
        home = _home(debt, entry)
        if home is None:
            homeless.append(entry)
        else:
            goes_to[entry.name] = by_seq[home]
    if homeless:
        number = max((due.seq for due in debt.schedule), default=0) + 1
        extra = Lot(number, max(entry.on for entry in homeless), dict.fromkeys(ORDER, NOTHING))
        lots.append(extra)
        goes_to.update({entry.name: extra for entry in homeless})
    lots.sort(key=lambda lot: (lot.on, lot.seq))
    spare = NOTHING
    for entry in left:
        if entry.kind in PAYS:
            spare = _spend(lots, spare, entry.amount)
            continue
        covered = min(spare, entry.amount)
        spare -= covered
        lot = goes_to[entry.name]
        if entry.kind == "charge":
            lot.owed[entry.component] += entry.amount
            lot.paid[entry.component] += covered
        elif entry.amount > covered:
            lot.owed["principal"] += entry.amount - covered
            lot.taken_back.append((entry.on, entry.amount - covered))
    return lots


def _home(debt: Debt, entry: Entry) -> int | None:
    in_order = sorted(debt.schedule, key=lambda due: (due.on, due.seq))
    if entry.kind == "charge":
        fitting = [due for due in in_order if due.on >= entry.on and not due.is_down_payment]
        return fitting[0].seq if fitting else None
    later = [due for due in in_order if due.on > entry.on]
    if later:
        return later[0].seq
    return in_order[-1].seq if in_order and in_order[-1].on == entry.on else None


def _spend(lots: list[Lot], spare: Decimal, amount: Decimal) -> Decimal:
    for lot in lots:
        for component in ORDER:
            part = min(amount, lot.owed[component] - lot.paid[component])
            lot.paid[component] += part
            amount -= part
    return spare + amount


def _judge(debt: Debt, lots: list[Lot], frozen: list[int], day: date, policy: Policy) -> Answer | None:
    end = day + timedelta(days=1) if policy.is_due_day_counted else day
    late: list[tuple[date, dict[str, Decimal]]] = []
    for lot in lots:
        open_parts = {component: lot.owed[component] - lot.paid[component] for component in ORDER}
        gone_on, gone = _beyond_paid(lot)
        is_gone = gone_on is not None and gone_on < end
        if lot.on < end and sum(open_parts.values()) > 0:
            late.append((min(lot.on, gone_on) if is_gone else lot.on, open_parts))
        elif is_gone:
            late.append((gone_on, dict.fromkeys(ORDER, NOTHING) | {"principal": gone}))
    late.sort(key=lambda each: each[0])
    since = None
    for candidate in sorted({on for on, _ in late}):
        if sum(sum(parts.values()) for on, parts in late if on <= candidate) > policy.tolerance:
            since = candidate
            break
    if since is None:
        return None
    grace = policy.grace if debt.grace is None else debt.grace

    def left(until: date) -> int:
        idle = bisect_left(frozen, until.toordinal()) - bisect_left(frozen, since.toordinal())
        return max(0, (until - since).days - idle - grace)

    held = end - (day - _looked_at(debt, day))
    days_of_bucket = left(held) if since < held else 0
    bucket = next(code for top, code in RANGES if days_of_bucket <= top)
    by_component = tuple(sum(parts[name] for _, parts in late) for name in ORDER)
    return Answer(since, (end - since).days, left(end), bucket, by_component)


def _looked_at(debt: Debt, day: date) -> date:
    """The day whose count the bucket is of: back over the paused days, their last one too, up to what was booked."""
    back = day
    while any(starts <= back and (ends is None or back <= ends) for starts, ends in debt.pauses):
        back -= timedelta(days=1)
    if back == day:
        return day
    booked = [max(entry.on, entry.known.date()) for entry in debt.entries if entry.kind != "charge" and entry.on <= day]
    return max([back, *(min(day, each) for each in booked)])


def _beyond_paid(lot: Lot) -> tuple[date | None, Decimal]:
    paid, taken = sum(lot.paid.values()), NOTHING
    for on, amount in lot.taken_back:
        taken += amount
        if taken > paid:
            return on, sum(each for _, each in lot.taken_back) - paid
    return None, NOTHING


def _paused_ordinals(debt: Debt, end: date) -> list[int]:
    return sorted(
        {
            number
            for starts, ends in debt.pauses
            for number in range(starts.toordinal(), min(ends or end, end).toordinal())
        }
    )
