"""A second opinion on arrears: plain Python and ``Decimal``, written from the rules in words, without the package.

It shares no line with the engine. Money is ``Decimal`` in major units, pauses are sets of days, whether an entry stands
is asked of its reversals one after the other. It is slow and is meant to be read.
"""

from __future__ import annotations

from bisect import bisect_left
from calendar import monthrange
from dataclasses import dataclass, field, replace
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
    is_threshold: bool | None = None
    deferrals: tuple[tuple[date, date | None], ...] = ()
    principal_left: Decimal = Decimal(1)


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
    """How days are counted: by themselves or in months, and what is forgiven.

    ``count`` is ``elapsed``, ``inclusive``, ``months_ots`` or ``months_mba``. Of an instalment of which at least
    ``enough_pct`` of a hundred is paid nothing counts as late. ``material`` is an amount and a share of the principal.
    """

    count: str = "elapsed"
    grace: int = 0
    is_threshold: bool = False
    tolerance: Decimal = NOTHING
    enough_pct: int = 100
    material: tuple[Decimal, Decimal] | None = None


@dataclass(frozen=True)
class Answer:
    """What is said of a loan on a day."""

    since: date
    past_due_days: int
    delinquent_days: int
    bucket: str
    by_component: tuple[Decimal, ...]
    material_days: int | None


def answers(debt: Debt, days: list[date], policy: Policy) -> dict[date, Answer]:
    """Answers for the days on which something is past due; other days are left out."""
    if debt.status not in OPEN:
        return {}
    turns = sorted({entry.counts_from for entry in debt.entries})
    found, lots, last_turn = {}, None, None
    frozen = _paused_ordinals(debt, max(days) + timedelta(days=2))
    for day in sorted(days):
        end = day if policy.count == "elapsed" else day + timedelta(days=1)
        moved = replace(debt, schedule=_deferred(debt, end))
        turn = (bisect_left(turns, day + timedelta(days=1)), moved.schedule)
        if turn != last_turn:
            lots, last_turn = _account(moved, day), turn
        answer = _judge(moved, lots, frozen, day=day, end=end, policy=policy)
        if answer is not None:
            found[day] = answer
    return found


def _deferred(debt: Debt, end: date) -> tuple[Due, ...]:
    """Whatever is due when a deferral begins, or later, is due as much later as it lasts; one without end lasts on."""
    spans: list[list[date]] = []
    for starts, ends in sorted((starts, ends or max(starts, end)) for starts, ends in debt.deferrals):
        if ends <= starts:
            continue
        if spans and starts <= spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], ends)
        else:
            spans.append([starts, ends])
    moved = []
    for due in debt.schedule:
        on = due.on
        for starts, ends in spans:
            on += ends - starts if on >= starts else timedelta(0)
        moved.append(replace(due, on=on))
    return tuple(moved)


def _account(debt: Debt, day: date) -> list[Lot]:
    counting = [entry for entry in debt.entries if entry.counts_from <= day]
    undone = _undone(counting)
    left = [entry for entry in counting if entry.kind != "reversal" and entry.name not in undone]
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


def _undone(counting: list[Entry]) -> set[str]:
    undoing: dict[str, list[Entry]] = {}
    for entry in counting:
        if entry.kind == "reversal":
            undoing.setdefault(entry.undoes, []).append(entry)

    @cache
    def stands(name: str) -> bool:
        return not any(stands(each.name) for each in undoing.get(name, ()))

    return {entry.name for entry in counting if not stands(entry.name)}


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


def _judge(debt: Debt, lots: list[Lot], frozen: list[int], *, day: date, end: date, policy: Policy) -> Answer | None:
    late: list[tuple[date, dict[str, Decimal], bool]] = []
    for lot in lots:
        open_parts = {component: lot.owed[component] - lot.paid[component] for component in ORDER}
        gone_on, gone = _beyond_paid(lot)
        is_gone = gone_on is not None and gone_on < end
        forgiven = sum(lot.owed.values()) * (100 - policy.enough_pct) / 100
        if lot.on < end and sum(open_parts.values()) > 0:
            on = min(lot.on, gone_on) if is_gone else lot.on
            late.append((on, open_parts, sum(open_parts.values()) > forgiven))
        elif is_gone:
            late.append((gone_on, dict.fromkeys(ORDER, NOTHING) | {"principal": gone}, gone > forgiven))
    counted = [(on, sum(parts.values())) for on, parts, counts in late if counts]
    since = None
    for candidate in sorted(on for on, _ in counted):
        if sum(amount for on, amount in counted if on <= candidate) > policy.tolerance:
            since = candidate
            break
    if since is None:
        return None
    grace = policy.grace if debt.grace is None else debt.grace
    is_threshold = policy.is_threshold if debt.is_threshold is None else debt.is_threshold

    def left(until: date) -> int:
        idle = bisect_left(frozen, until.toordinal()) - bisect_left(frozen, since.toordinal())
        days = max(0, _lateness(since, until, policy.count) - idle)
        if is_threshold:
            return days if days > grace else 0
        return max(0, days - grace)

    held = end - (day - _looked_at(debt, day))
    days_of_bucket = left(held) if since < held else 0
    bucket = next(code for top, code in RANGES if days_of_bucket <= top)
    by_component = tuple(sum(parts[name] for _, parts, _ in late) for name in ORDER)
    material = None
    if policy.material is not None:
        material = _material_days(debt, since, sum(by_component), day=day, end=end, policy=policy)
    return Answer(since, _lateness(since, end, policy.count), left(end), bucket, by_component, material)


def _lateness(since: date, until: date, count: str) -> int:
    """Days; or thirty for each month that is over, which the one method says a day before the other."""
    if not count.startswith("months"):
        return (until - since).days
    last = until - timedelta(days=1) if count == "months_ots" else until
    months = 0
    while _months_after(since, months + 1) <= last:
        months += 1
    return 30 * months


def _months_after(on: date, months: int) -> date:
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    return date(year, month + 1, min(on.day, monthrange(year, month + 1)[1]))


def _material_days(debt: Debt, since: date, past_due: Decimal, *, day: date, end: date, policy: Policy) -> int:
    """Since the last day on which the amount was not above both thresholds; nothing else resets it."""
    amount, share = policy.material

    def is_material(owed: Decimal) -> bool:
        return owed > amount and owed > debt.principal_left * share

    if not is_material(past_due):
        return 0
    undone = _undone([entry for entry in debt.entries if entry.counts_from <= day])
    moves = [(due.on, sum(due.amounts.values())) for due in debt.schedule if due.on < end]
    for entry in debt.entries:
        if entry.kind == "reversal" or entry.name in undone or entry.counts_from > day:
            continue
        if entry.kind in PAYS:
            moves.append((entry.on, -entry.amount))
        elif entry.on <= day if entry.kind != "charge" else entry.on < end or entry.on <= day:
            moves.append((entry.on, entry.amount))
    begun = None
    for on in sorted({on for on, _ in moves}):
        if not is_material(sum(each for when, each in moves if when <= on)):
            begun = None
        elif begun is None:
            begun = on
    return max(0, _lateness(begun or since, end, policy.count))


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
