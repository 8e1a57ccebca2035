"""Which borrower has a case today, what each loan adds to it, and when it closes.

Belongs here: the readable definition of ``sql/core__case_loan_daily.sql`` and ``sql/core__case_daily.sql``.
Queues and agents stand in ``assignment``, steps and channels in ``contact``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from arrears.rules.case_states import NONE, REOPENED_FROM, STATE_OF_ENDING, Standing, move

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
    "complaint",
    "legal",
    "hardship",
    "disaster_area",
    "supervisor_pause",  # a supervisor said so, with a reason
    "payment_under_way",  # money is coming: nobody chases who pays
    "missing",  # gone from the ledger without an ending
    "source_difference",  # the source's own figures are not ours: until it is known who is right, nobody is contacted
    "paused",  # the borrower was granted a pause that is running
    "not_delinquent",  # past due, but grace or an earlier pause leaves no delinquent day
)
# The least favourable ending names the case: nobody may read a sale as a cure.
CLOSE_REASONS = ("sold", "transferred", "settled", "cancelled", "relieved", "cured", "paid_off")


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
    core_due_minor: int = 0  # the part of past_due_minor that is principal and interest
    restructured_on: date | None = None


@dataclass(frozen=True)
class OpenCase:
    """A case that the previous day left open.

    Attributes:
        opened_on: Business date it first opened.
        loan_ids: Every loan that was ever past due in it.
        episode_on: Business date it opened, or last re-opened; None: it never re-opened.
        episodes: How often it has opened.
        state_code: Its state.
        first_treated_on: Business date of the first step planned since ``episode_on``.
        steps_planned: Steps planned since then.
        peaks: By loan, the highest past-due principal and interest since ``episode_on``.
    """

    opened_on: date
    loan_ids: frozenset[str]
    episode_on: date | None = None
    episodes: int = 1
    state_code: str = "open"
    first_treated_on: date | None = None
    steps_planned: int = 0
    peaks: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ClosedCase:
    """The borrower's case last cured or relieved, while it is watched."""

    opened_on: date
    closed_on: date
    close_reason: str
    episodes: int = 1


@dataclass(frozen=True)
class Known:
    """What else the day knows about a borrower.

    Attributes:
        cash: Cash by loan since the case opened or last re-opened, net of what was taken back; None: not delivered.
        promised: Loans under a live promise.
        planned: Loans under a live plan of instalments.
        treated_on: Business date of the day before, when its plan held a step for the case.
        watch_days: Days that a restructured loan is watched.
    """

    cash: Mapping[str, int] | None = None
    promised: frozenset[str] = frozenset()
    planned: frozenset[str] = frozenset()
    treated_on: date | None = None
    watch_days: int = 0


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
    peak_core_minor: int = 0
    cash_minor: int | None = None

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
    episode_on: date
    episodes: int
    state_code: str
    move_code: str
    stage_code: str
    first_treated_on: date | None
    steps_planned: int
    is_watched: bool


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


def is_cash_cure(part: LoanPart, restructured_on: date | None, episode_on: date) -> bool:
    """Whether a loan that is current again became so by the borrower's cash.

    The cash since the case opened must reach the highest past-due principal and interest it had: a waived penalty does
    not spoil a cure, a refund, a waived instalment or a new schedule is none.

    Args:
        part: The loan, its peak and its cash; where no cash is delivered, what is current counts as cured.
        restructured_on: Date since which a new schedule holds.
        episode_on: Business date the case opened or last re-opened.

    Source:
        ARR-CAS-06.
    """
    if restructured_on is not None and restructured_on >= episode_on:
        return False
    return part.cash_minor is None or part.cash_minor >= part.peak_core_minor


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
    closed: ClosedCase | None = None,
    known: Known = Known(),
    reopen_days: int = 0,
) -> CaseToday | None:
    """The borrower's case today, or None.

    A case opens when a loan becomes *delinquent* (grace and pauses heeded) and stays while any of its loans is
    *past due* or missing: a pause that brings ``delinquent_days`` back to 0 holds a case, it does not cure it. One that
    was cured or relieved at most ``reopen_days`` ago is the same case, re-opened; its path begins anew.

    Args:
        portfolio: Part of the case's id.
        business_date: The day.
        borrower_id: The borrower.
        loans: The borrower's loans, and whoever now has the loans of the previous case.
        previous: The case the previous day left open, if any.
        flags: Flag codes that hold today by loan_id, the borrower's own included.
        closed: The case last cured or relieved, while it is watched.
        known: What else is known.
        reopen_days: Days after a cure or relief.

    Source:
        ARR-CAS-01, ARR-CAS-05.
    """
    own = [loan for loan in loans if loan.borrower_id == borrower_id]
    if previous is None and not any(loan.is_open and loan.delinquent_days > 0 for loan in own):
        return None
    before = previous or _begun(business_date, closed, reopen_days)
    episode_on = before.episode_on or before.opened_on
    by_id = {loan.loan_id: loan for loan in loans}
    loan_ids = {loan.loan_id for loan in own if loan.is_open and loan.past_due_days > 0} | before.loan_ids
    parts = tuple(
        _part(borrower_id, name, by_id.get(name), flags.get(name, ()), known, before.peaks.get(name, 0), episode_on)
        for name in sorted(loan_ids)
    )
    states = {part.state_code for part in parts}
    is_open = bool(states & {"past_due", "missing"})
    reason = None if is_open else close_reason(states)
    hold = _case_hold(parts)
    late = {part.loan_id for part in parts if part.is_worked}
    worked = [by_id[name] for name in late]
    treated_on = known.treated_on if previous else None
    first_treated_on = before.first_treated_on or treated_on
    standing = Standing(
        close_reason=reason,
        is_held=hold is not None,
        has_plan=bool(late & known.planned),
        has_promise=bool(late & known.promised),
        is_treated=first_treated_on is not None,
    )
    state, moved = move(before.state_code, standing)
    return CaseToday(
        case_id=case_id_of(portfolio, borrower_id, before.opened_on),
        borrower_id=borrower_id,
        opened_on=before.opened_on,
        event_code=_event(is_open=is_open, is_new=previous is None, is_first=before.episodes == 1),
        close_reason_code=reason,
        hold_code=hold,
        parts=parts,
        episode_on=episode_on,
        episodes=before.episodes,
        state_code=state,
        move_code=moved,
        stage_code=_stage(parts, by_id),
        first_treated_on=first_treated_on,
        steps_planned=before.steps_planned + (treated_on is not None),
        is_watched=is_open and _is_watched(closed, worked, business_date, known),
    )


def _begun(business_date: date, closed: ClosedCase | None, reopen_days: int) -> OpenCase:
    """What a case that opens today is before its first day."""
    is_again = (
        closed is not None
        and closed.close_reason in REOPENED_FROM
        and business_date <= closed.closed_on + timedelta(days=reopen_days)
    )
    if closed is None or not is_again:
        return OpenCase(business_date, frozenset(), business_date, 1, NONE)
    state = STATE_OF_ENDING[closed.close_reason]
    return OpenCase(closed.opened_on, frozenset(), business_date, closed.episodes + 1, state)


def _event(*, is_open: bool, is_new: bool, is_first: bool) -> str:
    if not is_open:
        return "closed"
    if not is_new:
        return "carried"
    return "opened" if is_first else "reopened"


def _stage(parts: Collection[LoanPart], loans: Mapping[str, LoanToday]) -> str:
    late = [loans[part.loan_id] for part in parts if part.state_code == "past_due"]
    return "recovery" if any(loan.status_code == "charged_off" for loan in late) else "collection"


def _is_watched(closed: ClosedCase | None, worked: Collection[LoanToday], day: date, known: Known) -> bool:
    """Late again while the last cure, or a new schedule, is being watched."""
    restructured = [loan.restructured_on for loan in worked if loan.restructured_on is not None]
    is_new_schedule = any(day <= since + timedelta(days=known.watch_days) for since in restructured)
    return closed is not None or is_new_schedule


def close_reason(states: Collection[str]) -> str:
    """Why a case closed whose loans are in these states, none past due or missing.

    ``cured`` when all are current by cash (or some of them paid off), ``paid_off`` when all are; otherwise the least
    favourable ending among them, so that neither a sale nor a waiver is ever counted as a cure.

    Source:
        ARR-CAS-04.
    """
    endings = {"cured" if state == "current" else state for state in states}
    return next(reason for reason in CLOSE_REASONS if reason in endings)


def _part(  # noqa: PLR0913, PLR0917  a part is its inputs
    borrower_id: str,
    loan_id: str,
    loan: LoanToday | None,
    flags: Collection[str],
    known: Known,
    peak_before: int,
    episode_on: date,
) -> LoanPart:
    state = loan_state(borrower_id, loan)
    cash = None if known.cash is None else known.cash.get(loan_id, 0)
    if loan is None or state != "past_due":
        part = LoanPart(loan_id, state, loan_hold(state, 0, flags), peak_core_minor=peak_before, cash_minor=cash)
        if loan is not None and state == "current" and not is_cash_cure(part, loan.restructured_on, episode_on):
            return replace(part, state_code="relieved")
        return part
    return LoanPart(
        loan_id,
        state,
        loan_hold(state, loan.delinquent_days, flags),
        loan.past_due_days,
        loan.delinquent_days,
        loan.past_due_minor,
        loan.bucket,
        max(peak_before, loan.core_due_minor),
        cash,
    )


def _case_hold(parts: Sequence[LoanPart]) -> str | None:
    """A case is held when none of its loans may be worked."""
    if any(part.is_worked for part in parts):
        return None
    holding = {part.hold_code for part in parts}
    return next((code for code in HOLD_CODES if code in holding), None)
