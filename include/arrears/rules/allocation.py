"""What a loan owes, what has been paid, and which payment settles which obligation.

Belongs here: which transactions count, where charges and chargebacks fall due, and the waterfall. Days are counted
in ``ageing``. The set-based twin is the first half of ``sql/core__instalment_delinquency_daily.sql``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from arrears.errors import RuleInputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

COMPONENTS = ("principal", "interest", "fee", "penalty")
DEFAULT_ORDER = ("penalty", "fee", "interest", "principal")
PAYMENT_KINDS = ("repayment", "waiver")


@dataclass(frozen=True)
class Instalment:
    """One obligation of a loan's schedule; amounts in minor units, never negative."""

    seq: int
    due_on: date
    principal_minor: int = 0
    interest_minor: int = 0
    fee_minor: int = 0
    penalty_minor: int = 0

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
        kind_code: repayment, waiver, reversal, charge or chargeback.
        effective_on: Date of contractual crediting.
        amount_minor: Minor units.
        reverses_id: The transaction of the same loan that a reversal undoes.
    """

    transaction_id: str
    kind_code: str
    effective_on: date
    amount_minor: int
    reverses_id: str | None = None


@dataclass(frozen=True)
class Allocation:
    """One obligation and what was paid of it, by component."""

    instalment: Instalment
    paid: Instalment

    def unpaid_minor(self, component: str) -> int:
        """What is still owed of one component."""
        return self.instalment.amount_minor(component) - self.paid.amount_minor(component)

    @property
    def unpaid_total_minor(self) -> int:
        """What is still owed of all four."""
        return self.instalment.total_minor - self.paid.total_minor


def standing_transactions(transactions: Sequence[Transaction], as_of: date) -> list[Transaction]:
    """Transactions that count as of a date, without those annulled and without the reversals themselves.

    A transaction counts when ``effective_on <= as_of``, whenever it was booked. A counted reversal annuls its original
    entirely, as if it had never happened, whatever the reversal's own amount: a reversed payment re-opens the old due
    date, a reversed charge or chargeback vanishes. A reversal that is itself reversed has no effect, unless that
    second reversal is reversed in turn; longer chains are not followed.

    Args:
        transactions: Of one loan, any order.
        as_of: Date the answer holds for.

    Returns:
        Repayments, waivers, charges and chargebacks, in the order given.

    Source:
        ARR-AGE-02.
    """
    counted = [each for each in transactions if each.effective_on <= as_of]
    reversals = [each for each in counted if each.kind_code == "reversal"]
    reversed_ids = {each.reverses_id for each in reversals}
    undone = {each.reverses_id for each in reversals if each.transaction_id not in reversed_ids}
    annulled = {each.reverses_id for each in reversals if each.transaction_id not in undone}
    return [each for each in counted if each.kind_code != "reversal" and each.transaction_id not in annulled]


def obligations(schedule: Sequence[Instalment], standing: Sequence[Transaction]) -> list[Instalment]:
    """The schedule with charges and chargebacks where they fall due, oldest first.

    A charge is a fee of the first instalment due on or after it; a chargeback is principal of the first instalment due
    after it. What comes too late for the schedule makes one extra instalment, numbered one above the last and due on
    the date of the first such entry. The extra instalment, like any other, is overdue since its due date; that a
    chargeback's shortfall may be overdue since the chargeback itself is not modelled here.

    Args:
        schedule: Instalments of one loan, any order.
        standing: As ``standing_transactions`` gives them.

    Returns:
        Obligations ordered by due date, then number.

    Raises:
        RuleInputError: A number occurs twice, or an amount is negative.

    Source:
        ARR-AGE-03.
    """
    if len({each.seq for each in schedule}) != len(schedule):
        raise RuleInputError("an instalment number twice", "each number once", "schedule")
    if any(each.amount_minor(component) < 0 for each in schedule for component in COMPONENTS):
        raise RuleInputError("a negative obligation", "amounts of at least 0", "schedule")
    owed = {each.seq: each for each in schedule}
    by_date = sorted(schedule, key=_oldest_first)
    extra_seq = max(owed, default=0) + 1
    for entry in sorted(standing, key=lambda each: each.effective_on):
        if entry.kind_code == "charge":
            component = "fee_minor"
            receiver = next((each for each in by_date if each.due_on >= entry.effective_on), None)
        elif entry.kind_code == "chargeback":
            component = "principal_minor"
            receiver = next((each for each in by_date if each.due_on > entry.effective_on), None)
        else:
            continue
        seq = receiver.seq if receiver else extra_seq
        before = owed.get(seq, Instalment(seq, entry.effective_on))
        owed[seq] = replace(before, **{component: getattr(before, component) + entry.amount_minor})
    return sorted(owed.values(), key=_oldest_first)


def pool_minor(standing: Sequence[Transaction]) -> int:
    """What was paid or waived, in minor units. Its order does not matter: every entry replays from the start."""
    return sum(each.amount_minor for each in standing if each.kind_code in PAYMENT_KINDS)


def allocate(owed: Sequence[Instalment], pool: int, order: Sequence[str] = DEFAULT_ORDER) -> list[Allocation]:
    """Settle obligations from a pool: the oldest instalment first, inside it the components in ``order``.

    Args:
        owed: Obligations ordered by due date, then number.
        pool: Minor units to spread, >= 0. What is left over is a prepayment and is dropped.
        order: Each of the four components exactly once.

    Returns:
        One allocation per obligation, same order.

    Raises:
        RuleInputError: ``order`` is not an order of the four components.

    Source:
        ARR-AGE-04.
    """
    if sorted(order) != sorted(COMPONENTS):
        raise RuleInputError("not an order of the components", "each of the four exactly once", "allocation order")
    allocations = []
    for instalment in owed:
        paid = {}
        for component in order:
            paid[f"{component}_minor"] = min(pool, instalment.amount_minor(component))
            pool -= paid[f"{component}_minor"]
        allocations.append(Allocation(instalment, Instalment(instalment.seq, instalment.due_on, **paid)))
    return allocations


def _oldest_first(instalment: Instalment) -> tuple[date, int]:
    return instalment.due_on, instalment.seq
