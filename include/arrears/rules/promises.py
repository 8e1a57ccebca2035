"""Which promises to pay were kept: the readable definition of ``sql/core__promise_daily.sql``.

Belongs here: one borrower's promises against one borrower's money. Where they come from stands in the SELECTs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from arrears.errors import RuleInputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

LIVE = "open"
STATES = (LIVE, "kept", "part_kept", "broken", "cancelled")


@dataclass(frozen=True)
class PromisedPart:
    """One amount promised by one day; a promise in instalments has several.

    Attributes:
        promise_id: The promise.
        seq: Number of the part, from 1.
        loan_ids: Loans whose payments keep it; at least one.
        made_on: Day the promise was made, in the portfolio's zone.
        due_on: Last promised day, not before ``made_on``.
        amount_minor: Promised, above 0.
        cancelled_on: Day since which it no longer stands; money of that day still counts.
        source_code: Who says so; two sources may give their promises one number.
    """

    promise_id: str
    seq: int
    loan_ids: frozenset[str]
    made_on: date
    due_on: date
    amount_minor: int
    cancelled_on: date | None = None
    source_code: str = "ledger"


@dataclass(frozen=True)
class Credit:
    """Money the borrower paid, as it stands: what was reversed or charged back is not there, or smaller.

    Attributes:
        credit_id: Orders what was credited on one day.
        loan_id: Loan it was paid on.
        credited_on: Date of contractual crediting.
        amount_minor: What is left of it, above 0.
    """

    credit_id: str
    loan_id: str
    credited_on: date
    amount_minor: int


@dataclass(frozen=True)
class Outcome:
    """What became of one part.

    Attributes:
        part: The part.
        matched_minor: Of its amount, what was paid in time.
        state_code: One of ``STATES``.
    """

    part: PromisedPart
    matched_minor: int
    state_code: str


def standing_credits(credits_made: Sequence[Credit], charged_back: Sequence[Credit]) -> list[Credit]:
    """What chargebacks leave of the money.

    Each loan's are taken together, out of the credits before the last of them, the latest first.

    Args:
        credits_made: Repayments that no reversal undid.
        charged_back: Chargebacks, as amounts.

    Source:
        ARR-PTP-02.
    """
    left = []
    for loan_id in {one.loan_id for one in credits_made}:
        backs = [one for one in charged_back if one.loan_id == loan_id]
        last = max((one.credited_on for one in backs), default=None)
        owed = sum(one.amount_minor for one in backs)
        own = [one for one in credits_made if one.loan_id == loan_id]
        for credit in sorted(own, key=lambda one: (one.credited_on, one.credit_id), reverse=True):
            taken = min(owed, credit.amount_minor) if last is not None and credit.credited_on <= last else 0
            owed -= taken
            if credit.amount_minor > taken:
                left.append(replace(credit, amount_minor=credit.amount_minor - taken))
    return left


def outcomes(
    parts: Sequence[PromisedPart],
    paid: Sequence[Credit],
    *,
    closing_date: date,
    tolerance_minor: int,
    grace_days: int,
) -> list[Outcome]:
    """What became of a borrower's promises by the close: first in, first out.

    The part due first takes the earliest money that was credited from the day the promise was made to its due date
    plus grace; what it does not need goes to the next part. Each cent keeps one part. A part is ``kept`` as soon as it
    is matched but for the tolerance (something must have come); before its last day has closed it is ``open``;
    afterwards ``part_kept`` or, with nothing matched, ``broken``. Cancelled before it was kept, it is ``cancelled``.
    Nothing is remembered: money that is reversed later is not among ``paid``, which re-opens or breaks what it had
    kept.

    Args:
        parts: Of one borrower, any order.
        paid: Of the same borrower's loans, any order.
        closing_date: Close of the ledger ``paid`` is taken from.
        tolerance_minor: Shortfall up to which a part is kept.
        grace_days: Days after the due date in which money still counts.

    Returns:
        One outcome per part, the part due first at the front.

    Raises:
        RuleInputError: An amount is not above 0, or a part is due before it was promised.

    Source:
        ARR-PTP-01; reference/reliability.md 3.4.
    """
    _check(parts, paid)
    left = {one.credit_id: one.amount_minor for one in paid}
    in_order = sorted(paid, key=lambda one: (one.credited_on, one.credit_id))
    found = []
    for part in sorted(parts, key=_rank):
        deadline = part.due_on + timedelta(days=grace_days)
        until = deadline if part.cancelled_on is None else min(deadline, part.cancelled_on)
        matched = 0
        for credit in in_order:
            if credit.loan_id in part.loan_ids and part.made_on <= credit.credited_on <= until:
                taken = min(part.amount_minor - matched, left[credit.credit_id])
                matched += taken
                left[credit.credit_id] -= taken
        is_kept = matched >= max(1, part.amount_minor - tolerance_minor)
        found.append(Outcome(part, matched, _state(part, matched, deadline, closing_date, is_kept=is_kept)))
    return found


def _rank(part: PromisedPart) -> tuple[date, date, str, int, str]:
    """Due first, then promised first."""
    return part.due_on, part.made_on, part.promise_id, part.seq, part.source_code


def _state(part: PromisedPart, matched_minor: int, deadline: date, closing_date: date, *, is_kept: bool) -> str:
    if is_kept:
        return "kept"
    if part.cancelled_on is not None and part.cancelled_on <= deadline:
        return "cancelled"
    if closing_date < deadline:
        return LIVE
    return "part_kept" if matched_minor else "broken"


def _check(parts: Sequence[PromisedPart], paid: Sequence[Credit]) -> None:
    for part in parts:
        if part.amount_minor <= 0 or part.due_on < part.made_on or not part.loan_ids:
            raise RuleInputError(
                "a promise of nothing, of no loan, or due before it was made", "a promise", part.promise_id
            )
    if any(credit.amount_minor <= 0 for credit in paid):
        raise RuleInputError("a credit of nothing", "amounts above 0", "paid")
