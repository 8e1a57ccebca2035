"""Which payment settles which obligation: an account replayed entry by entry, in the order in which things happened.

Belongs here: the waterfall. What an account holds stands in ``account``, days are counted in ``ageing``. The set-based
twin is ``sql/account__*.sql``, and, for accounts whose order does not matter, the first half of
``sql/core__instalment_delinquency_daily.sql``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import cycle
from typing import TYPE_CHECKING

from arrears.errors import RuleInputError
from arrears.rules.account import (
    COMPONENTS,
    PAYMENT_KINDS,
    Instalment,
    check_schedule,
    receivers,
    standing_transactions,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from arrears.rules.account import Transaction

DEFAULT_ORDER = ("penalty", "fee", "interest", "principal")
TIMINGS = ("past_due", "due", "in_advance")


@dataclass(frozen=True)
class Waterfall:
    """How payments are spread: first what is past due on their date, then what is due on it, then what comes later.

    Attributes:
        past_due: Component order for instalments due before the payment.
        due: For those due on its date.
        in_advance: For later ones.
        processing: ``horizontal`` finishes an instalment before the next, the oldest first; ``vertical`` finishes a
            component over all instalments of its timing before the next component.
        prepays: The later instalment that is paid in advance: ``next``, ``last``, or ``reamortise`` (even parts over
            all of them, a component after the other, rounded half to even, the rest to the last).
    """

    past_due: tuple[str, ...] = DEFAULT_ORDER
    due: tuple[str, ...] = DEFAULT_ORDER
    in_advance: tuple[str, ...] = DEFAULT_ORDER
    processing: str = "horizontal"
    prepays: str = "next"

    def __post_init__(self) -> None:
        """Refuse what is no waterfall."""
        for timing in TIMINGS:
            if sorted(self.order(timing)) != sorted(COMPONENTS):
                raise RuleInputError("not an order of the components", "each of the four exactly once", timing)
        if self.processing not in ("horizontal", "vertical") or self.prepays not in ("next", "last", "reamortise"):
            raise RuleInputError("an unknown way to spread", "horizontal or vertical; next, last or reamortise", "")

    @classmethod
    def of(cls, order: Sequence[str]) -> Waterfall:
        """The common one: one component order at any time, the oldest instalment first."""
        return cls(tuple(order), tuple(order), tuple(order))

    def order(self, timing: str) -> tuple[str, ...]:
        """Component order of a timing."""
        found: tuple[str, ...] = getattr(self, timing)
        return found

    @property
    def is_plain(self) -> bool:
        """Whether payments may be poured in one by one or all at once, with the same result."""
        return (
            self.past_due == self.due == self.in_advance and self.processing == "horizontal" and self.prepays == "next"
        )


@dataclass(frozen=True)
class Waterfalls:
    """A portfolio's waterfalls: one for all payments, and others for single kinds."""

    default: Waterfall = field(default_factory=Waterfall)
    kinds: Mapping[str, Waterfall] = field(default_factory=dict)

    def of(self, kind_code: str) -> Waterfall:
        """The waterfall of one kind of payment."""
        return self.kinds.get(kind_code, self.default)

    @property
    def is_plain(self) -> bool:
        """Whether the order of payments does not matter."""
        return self.default.is_plain and all(each == self.default for each in self.kinds.values())


@dataclass
class Obligation:
    """One instalment while its account is replayed; minor units by component.

    Attributes:
        credits: Chargebacks and unmet refunds it took, oldest first: date and amount.
        early_minor: Paid before its due date.
        late_minor: Paid after it.
        settled_on: When nothing of it was left; None while something is.
    """

    seq: int
    due_on: date
    owed: dict[str, int]
    paid: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COMPONENTS, 0))
    credits: list[tuple[date, int]] = field(default_factory=list)
    early_minor: int = 0
    late_minor: int = 0
    settled_on: date | None = None

    def unpaid_minor(self, component: str) -> int:
        """What is still owed of one component."""
        return self.owed[component] - self.paid[component]

    @property
    def owed_total_minor(self) -> int:
        """All four components."""
        return sum(self.owed.values())

    @property
    def paid_total_minor(self) -> int:
        """All four components."""
        return sum(self.paid.values())

    @property
    def unpaid_total_minor(self) -> int:
        """All four components."""
        return self.owed_total_minor - self.paid_total_minor

    @property
    def shortfall(self) -> tuple[date, int] | None:
        """What was charged back beyond everything paid, and since when; None where there is none.

        Payments meet the oldest chargeback first, so the shortfall is as old as the first one not met.
        """
        left = self.paid_total_minor
        for on, amount in self.credits:
            left -= amount
            if left < 0:
                return on, sum(each for _, each in self.credits) - self.paid_total_minor
        return None

    def timing(self, on: date) -> str:
        """Where it stands on a date."""
        return "past_due" if self.due_on < on else "due" if self.due_on == on else "in_advance"


@dataclass(frozen=True)
class Split:
    """What became of one entry: minor units by component, and what was left over or taken from what was.

    Attributes:
        transaction: The entry.
        parts: Minor units by component.
        overpaid_minor: Kept for later, or, of a charge or a chargeback, taken from what was kept.
        cells: The same by instalment number and component, in the order in which they were met.
    """

    transaction: Transaction
    parts: dict[str, int]
    overpaid_minor: int
    cells: Mapping[tuple[int, str], int] = field(default_factory=dict)


@dataclass
class Account:
    """A replayed account.

    Attributes:
        obligations: By due date, then number; an extra one for what came after the schedule, where there is any.
        schedule: As it was replayed.
        entries: That counted, reversals and what they annul too.
        overpaid_minor: Paid and not needed yet: kept, and used by whatever is added later.
        splits: By transaction.
    """

    obligations: list[Obligation]
    schedule: Sequence[Instalment] = ()
    entries: Sequence[Transaction] = ()
    overpaid_minor: int = 0
    splits: dict[str, Split] = field(default_factory=dict)


def replay(
    schedule: Sequence[Instalment], transactions: Sequence[Transaction], as_of: date, waterfalls: Waterfalls
) -> Account:
    """Replay a loan's account from its first entry.

    Args:
        schedule: Instalments of one loan, any order; amounts in minor units.
        transactions: Of the loan, any order; those after ``as_of`` and those annulled are left out here.
        as_of: Date the answer holds for.
        waterfalls: How payments are spread.

    Raises:
        RuleInputError: A number occurs twice, or an amount is negative.

    Source:
        ARR-AGE-04; Apache Fineract's payment allocation.
    """
    check_schedule(schedule)
    standing = standing_transactions(transactions, as_of)
    takes = receivers(schedule, standing)
    owed = {
        each.seq: Obligation(each.seq, each.due_on, {name: each.amount_minor(name) for name in COMPONENTS})
        for each in schedule
    }
    for receiver in takes.values():
        owed.setdefault(receiver.seq, Obligation(receiver.seq, receiver.due_on, dict.fromkeys(COMPONENTS, 0)))
    account = Account(
        sorted(owed.values(), key=lambda each: (each.due_on, each.seq)),
        schedule,
        [each for each in transactions if each.posted_on <= as_of],
    )
    for entry in standing:
        if entry.kind_code in PAYMENT_KINDS:
            _pay(account, entry, waterfalls.of(entry.kind_code))
        else:
            receiver = takes[entry.transaction_id]
            _add(account, entry, owed[receiver.seq], receiver.component)
    scheduled = {each.seq for each in schedule}
    account.obligations = [each for each in account.obligations if each.seq in scheduled or each.owed_total_minor]
    return account


def _add(account: Account, entry: Transaction, taker: Obligation, component: str) -> None:
    """A charge is paid by what was overpaid; a chargeback or a refund takes it, and only the rest is owed."""
    used = min(account.overpaid_minor, entry.amount_minor)
    account.overpaid_minor -= used
    added = entry.amount_minor if entry.kind_code == "charge" else entry.amount_minor - used
    taker.owed[component] += added
    if added:
        taker.settled_on = None
    if entry.kind_code == "charge":
        _settle(taker, component, used, entry.posted_on)
    elif added:
        taker.credits.append((entry.effective_on, added))
    parts = dict.fromkeys(COMPONENTS, 0) | {component: added}
    account.splits[entry.transaction_id] = Split(entry, parts, used, {(taker.seq, component): added})


def _pay(account: Account, entry: Transaction, waterfall: Waterfall) -> None:
    parts, spent = dict.fromkeys(COMPONENTS, 0), Counter[tuple[int, str]]()
    left, on = entry.amount_minor, entry.effective_on
    for timing in TIMINGS:
        rows = [each for each in account.obligations if each.timing(on) == timing]
        order = waterfall.order(timing)
        if timing == "in_advance" and waterfall.prepays == "reamortise":
            left -= _pay_evenly(rows, order, left, on, spent)
            continue
        if timing == "in_advance" and waterfall.prepays == "last":
            rows.reverse()
        cells = [(row, name) for row in rows for name in order]
        if waterfall.processing == "vertical":
            cells = [(row, name) for name in order for row in rows]
        for row, name in cells:
            paid = min(left, row.unpaid_minor(name))
            _settle(row, name, paid, on)
            spent[row.seq, name] += paid
            left -= paid
    for (_, name), paid in spent.items():
        parts[name] += paid
    account.overpaid_minor += left
    account.splits[entry.transaction_id] = Split(entry, parts, left, +spent)


def _pay_evenly(
    rows: Sequence[Obligation], order: Sequence[str], amount: int, on: date, spent: Counter[tuple[int, str]]
) -> int:
    """Even parts of what is left, component after component, again and again until it is spent; answers what was."""
    left = amount
    for name in cycle(order):
        open_rows = [each for each in rows if each.unpaid_total_minor > 0]
        if not left or not open_rows:
            break
        portion, total = _even_part(left, len(open_rows)), left
        for row in open_rows:
            share = portion if row is not open_rows[-1] else total - portion * (len(open_rows) - 1)
            paid = max(0, min(share, left, row.unpaid_minor(name)))
            _settle(row, name, paid, on)
            spent[row.seq, name] += paid
            left -= paid
    return amount - left


def _even_part(amount: int, parts: int) -> int:
    """The amount over the parts, rounded half to even, as money is."""
    whole, rest = divmod(amount, parts)
    return whole + (2 * rest + whole % 2 > parts)


def _settle(row: Obligation, component: str, paid: int, on: date) -> None:
    if paid:
        row.paid[component] += paid
        row.early_minor += paid if on < row.due_on else 0
        row.late_minor += paid if on > row.due_on else 0
        row.settled_on = None if row.unpaid_total_minor else on
