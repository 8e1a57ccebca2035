"""What is true of every loan on a business date, told from the plan.

Belongs here: the oracle that the pipeline is held to. It reads which instalments were planned unpaid, part-paid,
returned or paused, and never a transaction, a ledger table or an ageing rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from arrears.sources.demo.calendar import NEVER
from arrears.sources.demo.columns import loan_ids

if TYPE_CHECKING:
    from arrears.sources.demo.calendar import Amounts, Days, Whole
    from arrears.sources.demo.cells import Cells
    from arrears.sources.demo.plan import Pauses, Plan

TRUTH = pa.schema(
    [
        pa.field("loan_id", pa.string()),
        pa.field("business_date", pa.date32()),
        pa.field("status_code", pa.string()),
        pa.field("is_open", pa.bool_()),
        pa.field("past_due_on", pa.date32()),
        pa.field("past_due_days", pa.int32()),
        pa.field("paused_days", pa.int32()),
        pa.field("delinquent_days", pa.int32()),
        pa.field("past_due_minor", pa.int64()),
        pa.field("past_due_principal_minor", pa.int64()),
        pa.field("past_due_interest_minor", pa.int64()),
        pa.field("past_due_fee_minor", pa.int64()),
        pa.field("past_due_penalty_minor", pa.int64()),
        pa.field("outstanding_principal_minor", pa.int64()),
        pa.field("promises_due", pa.int32()),
        pa.field("promises_kept", pa.int32()),
    ]
)


def truth(plan: Plan, business_date: int) -> pa.Table:
    """The expected figures of one business date, ledger closed the day before.

    Args:
        plan: A chunk of the world.
        business_date: Day number; ages hold as of it (convention ``elapsed``).

    Returns:
        One row per loan disbursed by the close, in ``TRUTH``'s columns.
    """
    close = business_date - 1
    parts = plan.cells.open_at(close)
    status = status_at(plan, close, owes=sum(part.sum(axis=1) for part in parts) > 0)
    is_open = (status == "active") | (status == "charged_off")

    overdue_on, overdue = _overdue(plan.cells, close, parts)
    by_age = np.argsort(overdue_on, axis=1, kind="stable")
    short = np.where(is_open[:, None], np.take_along_axis(np.add.reduce(overdue), by_age, axis=1), 0).cumsum(axis=1)
    is_past_due = short[:, -1] > plan.lender.tolerance_minor
    oldest = by_age[np.arange(plan.loans), np.argmax(short > plan.lender.tolerance_minor, axis=1)]
    since = np.where(is_past_due, overdue_on[np.arange(plan.loans), oldest], NEVER).astype(np.int32)
    days = np.where(is_past_due, business_date - since, 0)
    paused = _paused_days(plan.pauses, since, business_date, close)
    grace = np.where(plan.grace < 0, plan.lender.grace_days, plan.grace)
    amounts = [np.where(is_past_due[:, None], part, 0).sum(axis=1) for part in overdue]

    there = plan.disbursed <= close
    columns = [
        loan_ids(plan.numbers[there]),
        pa.array(np.full(int(there.sum()), business_date, dtype=np.int32)).cast(pa.date32()),
        pa.array(status[there]),
        pa.array(is_open[there]),
        pa.array(since[there], mask=~is_past_due[there]).cast(pa.date32()),
        pa.array(days[there].astype(np.int32)),
        pa.array(paused[there].astype(np.int32)),
        pa.array(np.maximum(days - paused - grace, 0)[there].astype(np.int32)),
        pa.array(sum(amounts)[there]),
        *(pa.array(amount[there]) for amount in amounts),
        pa.array(np.where(is_open, parts[0].sum(axis=1), 0)[there]),
        *(pa.array(count[there]) for count in _promised(plan, close)),
    ]
    return pa.Table.from_arrays(columns, schema=TRUTH)


def _overdue(cells: Cells, close: int, parts: tuple[Amounts, ...]) -> tuple[Days, list[Amounts]]:
    """Since when each cell is overdue, and its overdue principal, interest, fee and penalty.

    A cell that nothing was paid of is overdue since its chargeback; until it is due, only what was charged back is.
    """
    is_due = cells.due <= close
    charged_back = (cells.chargeback_on <= close) & (cells.visible > close)
    early = [np.where(charged_back, cells.chargeback_minor, 0), *(np.zeros_like(part) for part in parts[1:])]
    overdue_on = np.where(charged_back, np.minimum(cells.due, cells.chargeback_on), cells.due)
    return overdue_on, [np.where(is_due, part, before) for part, before in zip(parts, early, strict=True)]


def status_at(plan: Plan, close: int, *, owes: Whole) -> Whole:
    """(n,) status code at a close; ``owes`` says which loans have anything left to pay, due or not."""
    status = np.where(plan.charged_off <= close, "charged_off", "active")
    status = np.where(owes, status, "paid_off")
    return np.where(plan.ended <= close, plan.ended_code, status)


def _promised(plan: Plan, close: int) -> tuple[Whole, Whole]:
    """(n,) promises whose day had come by a close, and those of them that were kept as far as was known then."""
    promises = plan.promises
    due = promises.due_on <= close
    kept = due & (promises.kept_on <= close)
    counts = (np.bincount(promises.loan[which], minlength=plan.loans).astype(np.int32) for which in (due, kept))
    return next(counts), next(counts)


def _paused_days(pauses: Pauses, since: Days, until: int, close: int) -> Whole:
    """(n,) days in [since, until) inside any pause known at the close: the days are ticked off, each once."""
    known = pauses.take((pauses.known_on <= close) & (since[pauses.loan] < until))
    ends = np.minimum(known.ends_as_known(close), until)
    starts = np.maximum(known.starts_on, since[known.loan])
    days = np.maximum(ends - starts, 0)
    loan = np.repeat(known.loan.astype(np.int64), days)
    offset = np.arange(len(loan)) - np.repeat(np.cumsum(days) - days, days)
    ticked = np.unique(loan * NEVER + np.repeat(starts, days) + offset)
    return np.bincount(ticked // NEVER, minlength=len(since))
