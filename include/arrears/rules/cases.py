"""Which borrower has a case today, what each loan adds to it, and when it closes.

Belongs here: the readable definition of ``sql/core__case_loan_daily.sql`` and ``sql/core__case_daily.sql``.
Queues and agents stand in ``assignment``, steps and channels in ``contact``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

# A loan or person under one of these is not worked; the first that holds is the one named.
HOLD_CODES = (
    "self_harm_risk",
    "deceased",
    "minor",
    "bankruptcy_stay",
    "identity_theft",
    "attorney_known",
    "dispute",
    "hardship",
    "disaster_area",
    "missing",  # gone from the ledger without an ending
    "source_difference",  # the source's own figures are not ours: until it is known who is right, nobody is contacted
    "paused",  # the borrower was granted a pause that is running
    "not_delinquent",  # past due, but grace or an earlier pause leaves no delinquent day
)
# The least favourable ending names the case: nobody may read a sale as a cure.
CLOSE_REASONS = ("sold", "transferred", "settled", "cancelled", "cured", "paid_off")


@dataclass(frozen=True)
class LoanToday:
    """One loan as the day's ageing left it. Days and minor units, none negative."""

    loan_id: str
    borrower_id: str
    is_open: bool
    status_code: str
    past_due_days: int
    delinquent_days: int
    past_due_minor: int
    bucket: str


@dataclass(frozen=True)
class OpenCase:
    """A case that the previous day left open, with every loan that was ever past due in it."""

    opened_on: date
    loan_ids: frozenset[str]


@dataclass(frozen=True)
class LoanPart:
    """What one loan adds to its case today."""

    loan_id: str
    state_code: str
    hold_code: str | None
    past_due_days: int = 0
    delinquent_days: int = 0
    past_due_minor: int = 0
    bucket: str = ""

    @property
    def is_worked(self) -> bool:
        """Past due, and nothing holds it."""
        return self.state_code == "past_due" and self.hold_code is None


@dataclass(frozen=True)
class CaseToday:
    """One case on one day; the fields are the columns of ``core__case_daily``."""

    case_id: str
    borrower_id: str
    opened_on: date
    event_code: str
    close_reason_code: str | None
    hold_code: str | None
    parts: tuple[LoanPart, ...]


def case_id_of(portfolio: str, borrower_id: str, opened_on: date) -> str:
    """``C-`` and 16 hexadecimal digits: the same case has the same id in every rerun, a re-opened one another."""
    digest = hashlib.sha256(f"{portfolio}|{borrower_id}|{opened_on.isoformat()}".encode()).hexdigest()
    return f"C-{digest[:16]}"


def loan_state(borrower_id: str, loan: LoanToday | None) -> str:
    """What a loan of a case is today.

    A loan the ledger no longer lists, without having said how it ended, is ``missing``: an error of the source,
    never a cure. A loan that now belongs to another borrower is ``transferred`` out of this borrower's case.

    Source:
        ARR-CAS-02.
    """
    if loan is None:
        return "missing"
    if loan.borrower_id != borrower_id:
        return "transferred"
    if not loan.is_open:
        return loan.status_code
    return "past_due" if loan.past_due_days > 0 else "current"


def loan_hold(state_code: str, delinquent_days: int, flags: Collection[str]) -> str | None:
    """Why a loan may not be worked today, or None.

    Args:
        state_code: Answer of ``loan_state``.
        delinquent_days: 0 while grace or a pause covers the whole past-due span.
        flags: Flag codes that hold for the loan or its borrower today; ``paused`` for a pause that is running,
            ``source_difference`` for a loan that does not tie out.

    Source:
        ARR-CAS-03: holds are per loan or person; the other loans of the case go on.
    """
    if state_code not in ("past_due", "missing"):
        return None
    holding = set(flags)
    if state_code == "missing":
        holding.add("missing")
    elif delinquent_days == 0:
        holding.add("not_delinquent")
    return next((code for code in HOLD_CODES if code in holding), None)


def case_today(  # noqa: PLR0913  a case is its inputs
    portfolio: str,
    business_date: date,
    borrower_id: str,
    loans: Sequence[LoanToday],
    *,
    previous: OpenCase | None,
    flags: Mapping[str, Collection[str]],
) -> CaseToday | None:
    """The borrower's case today, or None.

    A case opens when a loan becomes *delinquent* (grace and pauses heeded) and stays while any of its loans is
    *past due* or missing: a pause that brings ``delinquent_days`` back to 0 holds a case, it does not cure it.

    Args:
        portfolio: Part of the case's id.
        business_date: The day.
        borrower_id: The borrower.
        loans: The borrower's loans, and whoever now has the loans of the previous case.
        previous: The case the previous day left open, if any.
        flags: Flag codes that hold today by loan_id, the borrower's own included.

    Source:
        ARR-CAS-01.
    """
    own = [loan for loan in loans if loan.borrower_id == borrower_id]
    if previous is None and not any(loan.is_open and loan.delinquent_days > 0 for loan in own):
        return None
    known = {loan.loan_id: loan for loan in loans}
    loan_ids = {loan.loan_id for loan in own if loan.is_open and loan.past_due_days > 0}
    loan_ids |= previous.loan_ids if previous else frozenset()
    parts = tuple(_part(borrower_id, name, known.get(name), flags.get(name, ())) for name in sorted(loan_ids))
    opened_on = previous.opened_on if previous else business_date
    states = {part.state_code for part in parts}
    is_open = bool(states & {"past_due", "missing"})
    return CaseToday(
        case_id=case_id_of(portfolio, borrower_id, opened_on),
        borrower_id=borrower_id,
        opened_on=opened_on,
        event_code=("carried" if previous else "opened") if is_open else "closed",
        close_reason_code=None if is_open else close_reason(states),
        hold_code=_case_hold(parts),
        parts=parts,
    )


def close_reason(states: Collection[str]) -> str:
    """Why a case closed whose loans are in these states, none past due or missing.

    ``cured`` when all are current (or some of them paid off), ``paid_off`` when all are; otherwise the least
    favourable ending among them, so that a sale is never counted as a cure.

    Source:
        ARR-CAS-04.
    """
    endings = {"cured" if state == "current" else state for state in states}
    return next(reason for reason in CLOSE_REASONS if reason in endings)


def _part(borrower_id: str, loan_id: str, loan: LoanToday | None, flags: Collection[str]) -> LoanPart:
    state = loan_state(borrower_id, loan)
    if loan is None or state != "past_due":
        return LoanPart(loan_id, state, loan_hold(state, 0, flags))
    return LoanPart(
        loan_id,
        state,
        loan_hold(state, loan.delinquent_days, flags),
        loan.past_due_days,
        loan.delinquent_days,
        loan.past_due_minor,
        loan.bucket,
    )


def _case_hold(parts: Sequence[LoanPart]) -> str | None:
    """A case is held when none of its loans may be worked."""
    if any(part.is_worked for part in parts):
        return None
    holding = {part.hold_code for part in parts}
    return next((code for code in HOLD_CODES if code in holding), None)
