"""How lateness is counted: named conventions, and what is too little, or nearly enough, to count.

Belongs here: arithmetic over two dates or two amounts. What is counted from when stands in ``ageing``.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

CONVENTIONS = ("elapsed", "inclusive", "months_ots", "months_mba")
GRACES = ("subtract", "threshold")
DAYS_OF_A_MONTH = 30  # regulators call a month past due "30 days"


def counted_until(as_of: date, convention: str) -> date:
    """First date that is not due yet; days past due are counted from the due date up to, not including, it.

    ``elapsed`` answers for the beginning of ``as_of``, every other convention for its close.

    Source:
        ARR-AGE-01.
    """
    return as_of if convention == "elapsed" else as_of + timedelta(days=1)


def whole_months(since: date, until: date) -> int:
    """Calendar months that are over: one on the same day of the next month, or on its last where it has no such day.

    Args:
        since: First day.
        until: Not before it.
    """
    last_day = monthrange(until.year, until.month)[1]
    months = (until.year - since.year) * 12 + until.month - since.month
    return months - (until.day < min(since.day, last_day))


def past_due_count(since: date, until: date, convention: str) -> int:
    """Days past due at the close of the day before ``until``.

    ``elapsed`` and ``inclusive`` count days. ``months_ots`` counts a month when the next due date closes unpaid,
    ``months_mba`` already at the close of the day before it; both say 30 days a month, whatever its length, and 0
    until the first is over.

    Args:
        since: Date since which something is overdue.
        until: As ``counted_until`` gives it; later than ``since``.
        convention: One of ``CONVENTIONS``.

    Source:
        ARR-AGE-08; 12 CFR 561.47 and 561.13 (OTS); the Mortgage Bankers Association's method.
    """
    if convention == "months_ots":
        return DAYS_OF_A_MONTH * whole_months(since, until - timedelta(days=1))
    if convention == "months_mba":
        return DAYS_OF_A_MONTH * whole_months(since, until)
    return (until - since).days


def after_grace(days: int, grace_days: int, grace_code: str) -> int:
    """Days that are left after grace.

    ``subtract`` takes the grace off. ``threshold`` forgives up to it and counts in full past it.

    Source:
        ARR-AGE-09.
    """
    if grace_code == "threshold":
        return days if days > grace_days else 0
    return max(0, days - grace_days)


def counts_as_late(unpaid_minor: int, owed_minor: int, full_payment_pct: int) -> bool:
    """Whether so much is missing of an instalment that it counts as late.

    Args:
        unpaid_minor: What is missing.
        owed_minor: What was asked, all components.
        full_payment_pct: Share of it that passes for all of it: 100, or 90 by the rule named below.

    Source:
        ARR-AGE-10; FFIEC Uniform Retail Credit Classification, 65 FR 36903: 90 per cent of a contractual payment may
        be considered a full payment.
    """
    return unpaid_minor * 100 > owed_minor * (100 - full_payment_pct)
