"""A loan's account: its schedule, its entries, which of them stand, and where what they add falls due.

Belongs here: values and the questions that need no order of payments. The waterfall stands in ``allocation``, the day
count in ``ageing``. The set-based twins are ``sql/account__*.sql``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from arrears.errors import RuleInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMPONENTS = ("principal", "interest", "fee", "penalty")
PAYMENT_KINDS = ("repayment", "waiver", "goodwill_credit", "merchant_refund", "payout_refund")
CREDIT_KINDS = ("chargeback", "credit_refund")
ADDING_KINDS = ("charge", *CREDIT_KINDS)
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Instalment:
    """One obligation of a loan's schedule; amounts in minor units, never negative.

    Attributes:
        seq: Number within the loan.
        due_on: Contractual due date.
        kind_code: ``down_payment`` takes no charges; None for an ordinary instalment.
    """

    seq: int
    due_on: date
    principal_minor: int = 0
    interest_minor: int = 0
    fee_minor: int = 0
    penalty_minor: int = 0
    kind_code: str | None = None

    @property
    def total_minor(self) -> int:
        """All four components."""
        return sum(self.amount_minor(component) for component in COMPONENTS)

    def amount_minor(self, component: str) -> int:
        """The amount of one component."""
        amount: int = getattr(self, f"{component}_minor")
        return amount


@dataclass(frozen=True)
class Transaction:
    """One entry of a loan's account; ``amount_minor`` is positive, the kind gives the direction.

    Attributes:
        transaction_id: Identifier within the loan.
        kind_code: One of ``PAYMENT_KINDS`` or ``CREDIT_KINDS``, ``charge`` or ``reversal``.
        effective_on: Date of contractual crediting; a charge's due date.
        amount_minor: Minor units.
        reverses_id: The transaction of the same loan that a reversal undoes.
        booked_at: Instant of booking, in the portfolio's zone; None: on ``effective_on``.
        component_code: What a charge is: fee or penalty.
    """

    transaction_id: str
    kind_code: str
    effective_on: date
    amount_minor: int
    reverses_id: str | None = None
    booked_at: datetime | None = None
    component_code: str | None = None

    @property
    def posted_on(self) -> date:
        """Date from which it is on the account: a charge can be known, and be paid, before it falls due."""
        if self.kind_code == "charge" and self.booked_at is not None:
            return min(self.booked_at.date(), self.effective_on)
        return self.effective_on

    @property
    def entered_on(self) -> date:
        """Date on which it became known and held."""
        return self.effective_on if self.booked_at is None else max(self.effective_on, self.booked_at.date())

    @property
    def replay_key(self) -> tuple[date, datetime, str]:
        """Entries happen by date, then as they were booked, then by identifier."""
        return self.posted_on, self.booked_at or LONG_AGO, self.transaction_id


@dataclass(frozen=True)
class Receiver:
    """Where an entry's amount falls due.

    Attributes:
        seq: Instalment that takes it; one above the last where it came too late for the schedule.
        due_on: When that is due.
        component: What it adds to.
    """

    seq: int
    due_on: date
    component: str


def standing_transactions(transactions: Sequence[Transaction], as_of: date) -> list[Transaction]:
    """Transactions that count as of a date, without those annulled and without the reversals themselves.

    A transaction counts when ``posted_on <= as_of``, whenever it was booked. A counted reversal annuls its original
    entirely, as if it had never happened, whatever the reversal's own amount: a reversed payment re-opens the old due
    date, a reversed charge or chargeback vanishes. A reversal that is itself reversed has no effect, unless that
    second reversal is reversed in turn; longer chains are not followed.

    Args:
        transactions: Of one loan, any order.
        as_of: Date the answer holds for.

    Returns:
        All but reversals, in the order in which they are replayed.

    Source:
        ARR-AGE-02.
    """
    counted = [each for each in transactions if each.posted_on <= as_of]
    reversals = [each for each in counted if each.kind_code == "reversal"]
    reversed_ids = {each.reverses_id for each in reversals}
    undone = {each.reverses_id for each in reversals if each.transaction_id not in reversed_ids}
    annulled = {each.reverses_id for each in reversals if each.transaction_id not in undone}
    standing = [each for each in counted if each.kind_code != "reversal" and each.transaction_id not in annulled]
    return sorted(standing, key=lambda each: each.replay_key)


def check_schedule(schedule: Sequence[Instalment]) -> None:
    """Refuse a schedule that cannot be aged.

    Raises:
        RuleInputError: A number occurs twice, or an amount is negative.
    """
    if len({each.seq for each in schedule}) != len(schedule):
        raise RuleInputError("an instalment number twice", "each number once", "schedule")
    if any(each.amount_minor(component) < 0 for each in schedule for component in COMPONENTS):
        raise RuleInputError("a negative obligation", "amounts of at least 0", "schedule")


def receivers(schedule: Sequence[Instalment], standing: Sequence[Transaction]) -> dict[str, Receiver]:
    """Where each charge, chargeback and unmet refund falls due, by transaction.

    A charge belongs to the first instalment, down payments apart, due on or after it. A chargeback, or a refund of
    more than was overpaid, is principal of the first instalment due after it; on the day of the last one, of that.
    What comes too late for the schedule shares one extra instalment, numbered one above the last and due on the
    latest of these entries' dates: one obligation is not overdue before its last part is.

    Args:
        schedule: Instalments of one loan, any order.
        standing: As ``standing_transactions`` gives them.

    Source:
        ARR-AGE-03.
    """
    by_date = sorted(schedule, key=lambda each: (each.due_on, each.seq))
    adding = [entry for entry in standing if entry.kind_code in ADDING_KINDS]
    takers = {entry.transaction_id: _taker(by_date, entry) for entry in adding}
    late = [entry.effective_on for entry in adding if takers[entry.transaction_id] is None]
    extra = Instalment(max((each.seq for each in schedule), default=0) + 1, max(late, default=date.max))
    found = {}
    for entry in adding:
        taker = takers[entry.transaction_id] or extra
        component = (entry.component_code or "fee") if entry.kind_code == "charge" else "principal"
        found[entry.transaction_id] = Receiver(taker.seq, taker.due_on, component)
    return found


def _taker(by_date: Sequence[Instalment], entry: Transaction) -> Instalment | None:
    if entry.kind_code == "charge":
        fitting = (each for each in by_date if each.due_on >= entry.effective_on and each.kind_code != "down_payment")
        return next(fitting, None)
    later = next((each for each in by_date if each.due_on > entry.effective_on), None)
    return later or next((each for each in by_date[-1:] if each.due_on == entry.effective_on), None)
