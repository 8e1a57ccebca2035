"""How old a loan's arrears are: past-due days, delinquent days, amounts.

Belongs here: the day count. The waterfall stands in ``allocation``, pauses in ``pauses``. The set-based twins are
``sql/core__instalment_delinquency_daily.sql`` and ``sql/core__loan_delinquency_daily.sql``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING

from arrears.rules.allocation import DEFAULT_ORDER, allocate, obligations, pool_minor, standing_transactions
from arrears.rules.pauses import paused_days

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arrears.rules.allocation import Allocation, Instalment, Transaction
    from arrears.rules.pauses import Pause

OPEN_STATUS_CODES = ("active", "charged_off")


@dataclass(frozen=True)
class Terms:
    """How days are counted.

    Attributes:
        convention: ``elapsed`` (on the due date nothing is past due, the day after is day 1) or ``inclusive`` (unpaid
            at the close of the due date is day 1).
        grace_days: Days taken off ``delinquent_days``; >= 0.
        tolerance_minor: Cumulative shortfall up to which nothing is past due; >= 0.
        allocation_order: Component order inside one instalment.
    """

    convention: str = "elapsed"
    grace_days: int = 0
    tolerance_minor: int = 0
    allocation_order: tuple[str, ...] = DEFAULT_ORDER


@dataclass(frozen=True)
class InstalmentAge:
    """A due instalment of a past-due loan that is not fully paid. ``delinquent_days`` knows pauses but no grace."""

    allocation: Allocation
    past_due_days: int
    delinquent_days: int


@dataclass(frozen=True)
class LoanAge:
    """The age of one loan; all zeros and no date when nothing is past due.

    Attributes:
        past_due_on: Due date of the oldest instalment with which the shortfall passes the tolerance.
        past_due_days: Contractual days; neither grace nor pauses touch it.
        paused_days: Paused days inside the past-due span.
        delinquent_days: What is left of them after pauses and grace.
        past_due_instalments: Unpaid due instalments from ``past_due_on`` on.
        past_due_minor: Everything due and not paid, also what the tolerance forgives while it is alone.
        unpaid: The instalments this amount consists of, oldest first.
    """

    past_due_on: date | None = None
    past_due_days: int = 0
    paused_days: int = 0
    delinquent_days: int = 0
    past_due_instalments: int = 0
    past_due_minor: int = 0
    unpaid: tuple[InstalmentAge, ...] = ()

    def component_minor(self, component: str) -> int:
        """The part of ``past_due_minor`` that is ``component``."""
        return sum(each.allocation.unpaid_minor(component) for each in self.unpaid)


NOT_PAST_DUE = LoanAge()


def counted_until(as_of: date, convention: str) -> date:
    """First date that is not due yet; days past due are counted from the due date up to, not including, it.

    Source:
        ARR-AGE-01.
    """
    return as_of if convention == "elapsed" else as_of + timedelta(days=1)


def age_of_loan(  # noqa: PLR0913  a loan is its parts
    schedule: Sequence[Instalment],
    transactions: Sequence[Transaction],
    pauses: Sequence[Pause],
    *,
    as_of: date,
    terms: Terms,
    status_code: str = "active",
) -> LoanAge:
    """Age of one loan's arrears.

    An ended loan and a loan with nothing due have no arrears. A partial payment never moves the due date, grace and
    pauses never touch ``past_due_days``. Weekends and holidays count: ageing is contractual, only contact minds the
    calendar.

    Args:
        schedule: Instalments of the loan, any order; amounts in minor units.
        transactions: Of the loan, any order; those effective after ``as_of`` are left out here.
        pauses: Of the loan, any order.
        as_of: Date the answer holds for, in the portfolio's time zone.
        terms: Day count; ``grace_days`` of the loan itself where it has its own.
        status_code: Status at the close; only ``active`` and ``charged_off`` loans age.

    Raises:
        RuleInputError: The schedule, the order or a pause is not valid.

    Source:
        ARR-AGE-01 to ARR-AGE-06.
    """
    if status_code not in OPEN_STATUS_CODES:
        return NOT_PAST_DUE
    until = counted_until(as_of, terms.convention)
    standing = standing_transactions(transactions, as_of)
    due = [each for each in obligations(schedule, standing) if each.due_on < until]
    allocations = allocate(due, pool_minor(standing), terms.allocation_order)
    shortfalls = list(accumulate(each.unpaid_total_minor for each in allocations))
    if not shortfalls or shortfalls[-1] <= terms.tolerance_minor:
        return NOT_PAST_DUE
    past_due_on = next(
        each.instalment.due_on
        for each, shortfall in zip(allocations, shortfalls, strict=True)
        if shortfall > terms.tolerance_minor
    )
    unpaid = [each for each in allocations if each.unpaid_total_minor > 0]
    past_due_days = (until - past_due_on).days
    paused = paused_days(pauses, past_due_on, until)
    return LoanAge(
        past_due_on=past_due_on,
        past_due_days=past_due_days,
        paused_days=paused,
        delinquent_days=max(0, past_due_days - paused - terms.grace_days),
        past_due_instalments=sum(each.instalment.due_on >= past_due_on for each in unpaid),
        past_due_minor=shortfalls[-1],
        unpaid=tuple(_instalment_age(each, pauses, until) for each in unpaid),
    )


def _instalment_age(allocation: Allocation, pauses: Sequence[Pause], until: date) -> InstalmentAge:
    due_on = allocation.instalment.due_on
    days = (until - due_on).days
    return InstalmentAge(allocation, days, days - paused_days(pauses, due_on, until))
