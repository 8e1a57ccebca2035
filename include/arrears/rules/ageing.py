"""How old a loan's arrears are: past-due days, delinquent days, amounts.

Belongs here: which instalments are late, and how many days that is. The waterfall stands in ``allocation``, pauses in
``pauses``, counting in ``conventions``. The set-based twins are ``sql/core__instalment_delinquency_daily.sql`` and
``sql/core__loan_delinquency_daily.sql``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import TYPE_CHECKING

from arrears.rules.account import COMPONENTS, standing_transactions
from arrears.rules.allocation import Waterfalls, replay
from arrears.rules.conventions import DAYS_OF_A_MONTH, after_grace, counted_until, counts_as_late, past_due_count
from arrears.rules.materiality import material_since
from arrears.rules.pauses import FREEZE, classified_on, deferred, paused_days, with_effect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from arrears.rules.account import Instalment, Transaction
    from arrears.rules.allocation import Account, Obligation
    from arrears.rules.materiality import Materiality
    from arrears.rules.pauses import Pause

OPEN_STATUS_CODES = ("active", "charged_off")


@dataclass(frozen=True)
class Terms:
    """How days are counted.

    Attributes:
        convention: ``elapsed`` (on the due date nothing is past due, the day after is day 1), ``inclusive`` (unpaid
            at the close of the due date is day 1), ``months_ots`` or ``months_mba`` (30 for each month that is over).
        grace_days: Days taken off ``delinquent_days``; >= 0.
        tolerance_minor: Cumulative shortfall up to which nothing is past due; >= 0.
        waterfalls: How payments are spread.
        grace_code: ``subtract``, or ``threshold``: past the grace its days count too.
        full_payment_pct: Share of an instalment that passes for all of it; 100, or 90 by the rule of that name.
        materiality: Thresholds of ``material_days``; None: it is not counted.
    """

    convention: str = "elapsed"
    grace_days: int = 0
    tolerance_minor: int = 0
    waterfalls: Waterfalls = field(default_factory=Waterfalls)
    grace_code: str = "subtract"
    full_payment_pct: int = 100
    materiality: Materiality | None = None


@dataclass(frozen=True)
class InstalmentAge:
    """A past-due instalment of a past-due loan.

    Attributes:
        seq: Its number.
        due_on: Its due date.
        overdue_on: Since when it is overdue: its due date, or the chargeback that took back more than was paid of it.
        unpaid: Past-due minor units by component; of an instalment not due yet, what was charged back only.
        past_due_days: Contractual days.
        paused_days: Paused days since then.
        delinquent_days: Contractual days without them, never negative; grace is the loan's.
        is_counted: Whether so much of it is missing that its lateness counts.
    """

    seq: int
    due_on: date
    overdue_on: date
    unpaid: dict[str, int]
    past_due_days: int
    paused_days: int
    delinquent_days: int
    is_counted: bool = True

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
        bucket_days: What the bucket is of: delinquent days, or, while a freeze holds, those of when it was not.
        months_ots: Months past due by the OTS method, whatever the convention.
        months_mba: Months past due by the MBA method.
        material_days: Days past due since the amount is material; 0 while it is not, None where nobody asks.
    """

    past_due_on: date | None = None
    past_due_days: int = 0
    paused_days: int = 0
    delinquent_days: int = 0
    past_due_instalments: int = 0
    past_due_minor: int = 0
    unpaid: tuple[InstalmentAge, ...] = ()
    bucket_days: int = 0
    months_ots: int = 0
    months_mba: int = 0
    material_days: int | None = None

    def component_minor(self, component: str) -> int:
        """The part of ``past_due_minor`` that is ``component``."""
        return sum(each.unpaid[component] for each in self.unpaid)


NOT_PAST_DUE = LoanAge()


def age_of_loan(  # noqa: PLR0913  a loan is its parts
    schedule: Sequence[Instalment],
    transactions: Sequence[Transaction],
    pauses: Sequence[Pause],
    *,
    as_of: date,
    terms: Terms,
    status_code: str = "active",
    exposure_minor: int = 0,
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
        exposure_minor: Outstanding principal, for a relative threshold of materiality.

    Raises:
        RuleInputError: The schedule, the order or a pause is not valid.

    Source:
        ARR-AGE-01 to ARR-AGE-12.
    """
    if status_code not in OPEN_STATUS_CODES:
        return not_past_due(terms)
    moved = deferred(schedule, pauses, counted_until(as_of, terms.convention))
    account = replay(moved, transactions, as_of, terms.waterfalls)
    return age_of_account(account, pauses, as_of=as_of, terms=terms, exposure_minor=exposure_minor)


def not_past_due(terms: Terms) -> LoanAge:
    """What is said of a loan without arrears."""
    return NOT_PAST_DUE if terms.materiality is None else replace(NOT_PAST_DUE, material_days=0)


def age_of_account(
    account: Account, pauses: Sequence[Pause], *, as_of: date, terms: Terms, exposure_minor: int = 0
) -> LoanAge:
    """Age of the arrears of an account of an open loan that was replayed up to ``as_of``.

    Raises:
        RuleInputError: A pause is not valid.
    """
    until = counted_until(as_of, terms.convention)
    frozen = with_effect(pauses, FREEZE)
    overdue = [_instalment_age(*each, frozen, until, terms) for each in _overdue(account, until)]
    overdue.sort(key=lambda each: (each.overdue_on, each.due_on, each.seq))
    dates = (each.overdue_on for each in overdue)
    counted = accumulate(each.past_due_minor if each.is_counted else 0 for each in overdue)
    shortfalls = dict(zip(dates, counted, strict=True))
    past_due_on = next((on for on, shortfall in shortfalls.items() if shortfall > terms.tolerance_minor), None)
    if past_due_on is None:
        return not_past_due(terms)
    past_due_minor = sum(each.past_due_minor for each in overdue)
    bucket_until = counted_until(classified_on(pauses, account.entries, as_of), terms.convention)
    past_due_days, paused, delinquent_days = _days(past_due_on, until, frozen, terms)
    return LoanAge(
        past_due_on=past_due_on,
        past_due_days=past_due_days,
        paused_days=paused,
        delinquent_days=delinquent_days,
        past_due_instalments=sum(each.overdue_on >= past_due_on for each in overdue),
        past_due_minor=past_due_minor,
        unpaid=tuple(overdue),
        bucket_days=_days(past_due_on, bucket_until, frozen, terms)[2] if past_due_on < bucket_until else 0,
        months_ots=past_due_count(past_due_on, until, "months_ots") // DAYS_OF_A_MONTH,
        months_mba=past_due_count(past_due_on, until, "months_mba") // DAYS_OF_A_MONTH,
        material_days=_material_days(account, past_due_on, past_due_minor, as_of, terms, exposure_minor),
    )


def _days(since: date, until: date, frozen: Sequence[Pause], terms: Terms) -> tuple[int, int, int]:
    """Past due, paused, and what is left of them after grace."""
    past_due = past_due_count(since, until, terms.convention)
    paused = paused_days(frozen, since, until)
    return past_due, paused, after_grace(max(0, past_due - paused), terms.grace_days, terms.grace_code)


def _material_days(  # noqa: PLR0913, PLR0917  what it is counted from
    account: Account, past_due_on: date, past_due_minor: int, as_of: date, terms: Terms, exposure_minor: int
) -> int | None:
    if terms.materiality is None:
        return None
    if not terms.materiality.is_material(past_due_minor, exposure_minor):
        return 0
    until = counted_until(as_of, terms.convention)
    since = material_since(
        account.schedule,
        standing_transactions(account.entries, as_of),
        until=until,
        past_due_on=past_due_on,
        materiality=terms.materiality,
        exposure_minor=exposure_minor,
    )
    return past_due_count(since, until, terms.convention)


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


def _instalment_age(  # noqa: PLR0913, PLR0917  what an instalment's age is made of
    row: Obligation, overdue_on: date, unpaid: dict[str, int], frozen: Sequence[Pause], until: date, terms: Terms
) -> InstalmentAge:
    days = past_due_count(overdue_on, until, terms.convention)
    paused = paused_days(frozen, overdue_on, until)
    is_counted = counts_as_late(sum(unpaid.values()), row.owed_total_minor, terms.full_payment_pct)
    return InstalmentAge(row.seq, row.due_on, overdue_on, unpaid, days, paused, max(0, days - paused), is_counted)
