"""How old a loan's arrears are: past-due days, delinquent days, amounts.

Belongs here: the day count. The waterfall stands in ``allocation``, pauses in ``pauses``. The set-based twins are
``sql/core__instalment_delinquency_daily.sql`` and ``sql/core__loan_delinquency_daily.sql``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING

from arrears.rules.account import COMPONENTS
from arrears.rules.allocation import Waterfalls, replay
from arrears.rules.pauses import paused_days

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from arrears.rules.account import Instalment, Transaction
    from arrears.rules.allocation import Account, Obligation
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
        waterfalls: How payments are spread.
    """

    convention: str = "elapsed"
    grace_days: int = 0
    tolerance_minor: int = 0
    waterfalls: Waterfalls = field(default_factory=Waterfalls)


@dataclass(frozen=True)
class InstalmentAge:
    """A past-due instalment of a past-due loan.

    Attributes:
        seq: Its number.
        due_on: Its due date.
        overdue_on: Since when it is overdue: its due date, or the chargeback that took back more than was paid of it.
        unpaid: Past-due minor units by component; of an instalment not due yet, what was charged back only.
        past_due_days: Contractual days.
        delinquent_days: The same without paused days; grace is the loan's.
    """

    seq: int
    due_on: date
    overdue_on: date
    unpaid: dict[str, int]
    past_due_days: int
    delinquent_days: int

    @property
    def past_due_minor(self) -> int:
        """All components."""
        return sum(self.unpaid.values())


@dataclass(frozen=True)
class LoanAge:
    """The age of one loan; all zeros and no date when nothing is past due.

    Attributes:
        past_due_on: Date since which the oldest instalment is overdue with which the shortfall passes the tolerance.
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
        return sum(each.unpaid[component] for each in self.unpaid)


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
    return age_of_account(replay(schedule, transactions, as_of, terms.waterfalls), pauses, as_of=as_of, terms=terms)


def age_of_account(account: Account, pauses: Sequence[Pause], *, as_of: date, terms: Terms) -> LoanAge:
    """Age of the arrears of an account of an open loan that was replayed up to ``as_of``.

    Raises:
        RuleInputError: A pause is not valid.
    """
    until = counted_until(as_of, terms.convention)
    overdue = [_instalment_age(*each, pauses, until) for each in _overdue(account, until)]
    overdue.sort(key=lambda each: (each.overdue_on, each.due_on, each.seq))
    dates = (each.overdue_on for each in overdue)
    shortfalls = dict(zip(dates, accumulate(each.past_due_minor for each in overdue), strict=True))
    past_due_on = next((on for on, shortfall in shortfalls.items() if shortfall > terms.tolerance_minor), None)
    if past_due_on is None:
        return NOT_PAST_DUE
    past_due_days = (until - past_due_on).days
    paused = paused_days(pauses, past_due_on, until)
    return LoanAge(
        past_due_on=past_due_on,
        past_due_days=past_due_days,
        paused_days=paused,
        delinquent_days=max(0, past_due_days - paused - terms.grace_days),
        past_due_instalments=sum(each.overdue_on >= past_due_on for each in overdue),
        past_due_minor=sum(each.past_due_minor for each in overdue),
        unpaid=tuple(overdue),
    )


def _overdue(account: Account, until: date) -> Iterator[tuple[Obligation, date, dict[str, int]]]:
    """Overdue obligations: since when, and what of them.

    Source:
        ARR-AGE-07: an instalment is overdue since its due date, and, where more was charged back than was paid of it,
        since that chargeback; before the due date only the amount charged back is.
    """
    for row in account.obligations:
        unpaid = {name: row.unpaid_minor(name) for name in COMPONENTS}
        short = row.shortfall
        is_short = short is not None and short[0] < until
        if row.due_on < until and row.unpaid_total_minor > 0:
            yield row, min(row.due_on, short[0]) if short and is_short else row.due_on, unpaid
        elif short and is_short:
            yield row, short[0], dict.fromkeys(COMPONENTS, 0) | {"principal": short[1]}


def _instalment_age(
    row: Obligation, overdue_on: date, unpaid: dict[str, int], pauses: Sequence[Pause], until: date
) -> InstalmentAge:
    days = (until - overdue_on).days
    return InstalmentAge(row.seq, row.due_on, overdue_on, unpaid, days, days - paused_days(pauses, overdue_on, until))
