"""The books of the source system: loans, balances, schedules, penalties, postings, pauses, told from the plan.

Belongs here: one function per table, plan in, Arrow out. Whatever is booked after the world's last day is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from arrears.sources.demo.calendar import NEVER
from arrears.sources.demo.cells import SLOTS
from arrears.sources.demo.columns import customer_ids, days, ids, instants, loan_ids, texts
from arrears.sources.demo.schema import TABLES
from arrears.sources.demo.stories import told

if TYPE_CHECKING:
    import numpy.typing as npt

    from arrears.sources.demo.calendar import Amounts, Days, Mask, Whole
    from arrears.sources.demo.plan import Plan

DAY_SPAN = 1 << 21  # above any day number: loan x DAY_SPAN + day sorts by loan, then day
POSTINGS_A_LOAN = 200  # numbers kept for each loan's postings


def books(plan: Plan, random: np.random.Generator) -> dict[str, pa.Table]:
    """The tables that hold money and days, by name."""
    return {
        "loan_account": loan_account(plan),
        "loan_state": loan_state(plan),
        "repayment_plan": repayment_plan(plan),
        "penalty": penalty(plan),
        "posting": posting(plan, random),
        "payment_pause": payment_pause(plan),
    }


def _table(name: str, *columns: pa.Array | npt.NDArray[np.generic]) -> pa.Table:
    return pa.Table.from_arrays([pa.array(column) for column in columns], schema=TABLES[name].arrow)


def loan_account(plan: Plan) -> pa.Table:
    """One row per loan."""
    return _table(
        "loan_account",
        loan_ids(plan.numbers),
        customer_ids(plan.borrower_numbers[plan.borrower]),
        texts(plan.product),
        pa.array([plan.lender.currency] * plan.loans),
        plan.principal,
        days(plan.disbursed),
        days(plan.cells.due[np.arange(plan.loans), plan.count - 1]),
        pa.array(plan.grace, mask=plan.grace < 0),
    )


def repayment_plan(plan: Plan) -> pa.Table:
    """One row per contractual instalment; what a later charge adds is no part of it."""
    row, slot = np.nonzero(np.arange(SLOTS) < plan.count[:, None])
    cells = plan.cells
    return _table(
        "repayment_plan",
        loan_ids(plan.numbers).take(pa.array(row)),
        (slot + 1).astype(np.int32),
        days(cells.due[row, slot]),
        cells.principal[row, slot],
        cells.interest[row, slot],
        cells.fee[row, slot],
        days(plan.disbursed[row]),
    )


def penalty(plan: Plan) -> pa.Table:
    """One row per penalty assessed so far."""
    row, slot = np.nonzero(plan.cells.penalty_on <= plan.calendar.end)
    return _table(
        "penalty",
        loan_ids(plan.numbers).take(pa.array(row)),
        (slot + 1).astype(np.int32),
        days(plan.cells.penalty_on[row, slot]),
        plan.cells.penalty_minor[row, slot],
    )


def payment_pause(plan: Plan) -> pa.Table:
    """One row per pause booked so far."""
    end = plan.calendar.end
    known = plan.pauses.take(plan.pauses.known_on <= end)
    return _table(
        "payment_pause",
        loan_ids(plan.numbers).take(pa.array(known.loan)),
        days(known.starts_on),
        days(known.ends_as_known(end)),
        texts(known.reason),
        days(known.known_on),
        days(np.where(known.end_known_on <= end, known.end_known_on, NEVER)),
    )


def posting(plan: Plan, random: np.random.Generator) -> pa.Table:
    """One row per booking so far; a day's clearing of several instalments is one repayment."""
    cells = plan.cells
    base = plan.numbers[:, None] * POSTINGS_A_LOAN + np.arange(SLOTS)
    parts = [
        _clearings(plan, base),
        _postings(plan, "waiver", cells.is_waived, cells.effective, cells.booked, cells.penalty_minor, base + 20),
        _postings(plan, "repayment", cells.exists, cells.part_on, cells.part_on, cells.part_minor, base + 40),
        _postings(plan, "repayment", cells.exists, cells.bounce_on, cells.bounce_on, cells.scheduled, base + 60),
        _postings(plan, "reversal", cells.exists, cells.bounced_on, cells.bounced_on, cells.scheduled, base + 80),
        _postings(plan, "charge", cells.exists, cells.charge_on, cells.charge_booked, cells.charge_minor, base + 100),
        _postings(
            plan,
            "chargeback",
            cells.exists,
            cells.chargeback_on,
            cells.chargeback_on,
            cells.chargeback_minor,
            base + 120,
        ),
    ]
    row, kind, effective, booked, amount, number = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(number, kind="stable")
    row, kind, effective, booked, amount, number = (
        column[order] for column in (row, kind, effective, booked, amount, number)
    )
    return _table(
        "posting",
        ids("T", number, 10),
        loan_ids(plan.numbers).take(pa.array(row)),
        texts(kind),
        days(effective),
        days(booked),
        instants(plan.calendar, booked, _seconds(plan, row, booked, random)),
        amount,
        pa.compute.if_else(pa.array(kind == "reversal"), ids("T", number - 20, 10), pa.scalar(None, pa.string())),
    )


def _seconds(plan: Plan, row: npt.NDArray[np.intp], booked: Days, random: np.random.Generator) -> Whole:
    """Second of the day of each booking, as its story says where it has one."""
    seconds = random.integers(7 * 3600, 23 * 3600, len(row))
    for loan, story in told(plan):
        if story.booked_second is not None and story.booked is not None:
            at = (row == loan) & (booked == plan.calendar.end - story.booked)
            seconds[at] = story.booked_second
    return seconds


_Rows = tuple["npt.NDArray[np.intp]", "npt.NDArray[Any]", "Days", "Days", "Amounts", "Whole"]


def _postings(  # noqa: PLR0913, PLR0917  a posting is its parts
    plan: Plan, kind: str, where: Mask, effective: Days, booked: Days, amount: Amounts, number: Whole
) -> _Rows:
    at = np.nonzero(where & (booked <= plan.calendar.end))
    return at[0], np.full(len(at[0]), kind), effective[at], booked[at], amount[at], number[at]


def _clearings(plan: Plan, number: Whole) -> _Rows:
    """Clearing payments, those of one loan that are credited and booked together as one."""
    cells = plan.cells
    amount = cells.clearing_minor - np.where(cells.is_waived, cells.penalty_minor, 0)
    row, kind, effective, booked, amount, number = _postings(
        plan, "repayment", cells.exists, cells.effective, cells.booked, amount, number
    )
    together = (np.diff(row) == 0) & (np.diff(effective) == 0) & (np.diff(booked) == 0)
    starts = np.flatnonzero(np.concatenate([[True], ~together])) if len(row) else np.empty(0, dtype=np.intp)
    total = np.add.reduceat(amount, starts) if len(row) else amount
    return row[starts], kind[starts], effective[starts], booked[starts], total, number[starts]


def loan_state(plan: Plan) -> pa.Table:
    """One row per loan and change of status or outstanding principal, valid until the next."""
    loan, day, principal, total = _changes(plan)
    known = day <= plan.calendar.end
    key, inverse = np.unique(loan[known].astype(np.int64) * DAY_SPAN + day[known], return_inverse=True)
    loan, day = key // DAY_SPAN, (key % DAY_SPAN).astype(np.int32)
    opens = np.concatenate([[True], np.diff(loan) > 0])
    principal = _balances(principal[known], inverse, opens)
    total = _balances(total[known], inverse, opens)

    status = np.where(plan.charged_off[loan] <= day, "charged_off", "active")
    status = np.where(total > 0, status, "paid_off")
    status = np.where(plan.ended[loan] <= day, plan.ended_code[loan], status)
    principal = np.where((status == "active") | (status == "charged_off"), principal, 0)
    turned = opens | np.concatenate([[True], status[1:] != status[:-1]])
    moved = turned | np.concatenate([[True], principal[1:] != principal[:-1]])
    since = day[np.maximum.accumulate(np.where(turned, np.arange(len(day)), 0))]
    loan, day, status, since, principal, opens = (
        column[moved] for column in (loan, day, status, since, principal, opens)
    )
    until = np.where(np.concatenate([opens[1:], [True]]), NEVER, np.concatenate([day[1:], [NEVER]]))
    return _table(
        "loan_state",
        loan_ids(plan.numbers).take(pa.array(loan)),
        days(day),
        days(until),
        texts(status),
        days(since),
        principal,
    )


def _balances(change: Amounts, inverse: npt.NDArray[np.intp], opens: Mask) -> Amounts:
    """Running balance of each loan over its days, from changes that may share a day."""
    per_day = np.zeros(len(opens), dtype=np.int64)
    np.add.at(per_day, inverse, change)
    running = np.cumsum(per_day)
    before = np.maximum.accumulate(np.where(opens, np.arange(len(opens)), 0))
    balance: Amounts = running - running[before] + per_day[before]
    return balance


def _changes(plan: Plan) -> tuple[npt.NDArray[np.intp], Days, Amounts, Amounts]:
    """Loan, day, change of outstanding principal and of all that is owed; days may repeat."""
    cells, row = plan.cells, np.arange(plan.loans)
    nothing = np.zeros(plan.loans, dtype=np.int64)
    plain = np.nonzero(cells.exists & ~cells.is_twisted)
    told = np.nonzero(cells.is_twisted)
    loan, day, principal, total = _told_changes(plan, told)
    return (
        np.concatenate([row, row, row, plain[0], loan]),
        np.concatenate([plan.disbursed, plan.charged_off, plan.ended, cells.visible[plain], day]),
        np.concatenate([cells.principal.sum(axis=1), nothing, nothing, -cells.principal[plain], principal]),
        np.concatenate([cells.scheduled.sum(axis=1), nothing, nothing, -cells.scheduled[plain], total]),
    )


def _told_changes(
    plan: Plan, told: tuple[npt.NDArray[np.intp], ...]
) -> tuple[npt.NDArray[np.intp], Days, Amounts, Amounts]:
    """The changes of instalments with more to tell: what is open after each of their days, less what was before."""
    some = plan.cells.take(told)
    happenings = (
        some.visible,
        some.part_on,
        some.bounce_on,
        some.bounced_on,
        some.penalty_on,
        some.charge_visible,
        some.chargeback_on,
        np.where(some.short_minor > 0, some.settled_on, NEVER),
    )
    day = np.sort(np.minimum(np.stack(happenings, axis=1), NEVER), axis=1).astype(np.int32)
    principal, *others = some.column().open_at(day)
    total = principal + sum(others)
    before = (some.principal[:, None], some.scheduled[:, None])
    principal = np.diff(np.concatenate([before[0], principal], axis=1), axis=1)
    total = np.diff(np.concatenate([before[1], total], axis=1), axis=1)
    loan = np.broadcast_to(told[0][:, None], day.shape)
    return loan.ravel(), day.ravel(), principal.ravel(), total.ravel()
