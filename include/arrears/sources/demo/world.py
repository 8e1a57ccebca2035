"""The borrowers and their loans: who borrows how much, when, and what falls due.

Belongs here: everything contractual, and the making of a chunk. How it is paid stands in ``behaviour``.
The world is made in chunks of ``CHUNK`` loans, each from its own seed, so that memory stays bounded and the ledger
does not depend on how many chunks are in flight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from arrears.sources.demo.behaviour import behave
from arrears.sources.demo.calendar import NEVER, choice, drawn
from arrears.sources.demo.cells import SLOTS, Cells
from arrears.sources.demo.plan import Plan, no_pauses
from arrears.sources.demo.stories import LEAST_LOANS, borrowers_of, place, play

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from arrears.sources.demo.calendar import Amounts
    from arrears.sources.demo.order import Order

CHUNK = 50_000

LOANS_PER_BORROWER = ((1, 0.60), (2, 0.25), (3, 0.10), (4, 0.05))
GRACE_DAYS = ((-1, 0.980), (0, 0.005), (3, 0.015))  # -1: the portfolio's
RISK_FACTORS = ((0.35, 0.70), (1.6, 0.25), (5.0, 0.05))  # good, mixed, poor payers; mean near 0.9


def chunks(loans: int) -> Iterator[tuple[int, int, int]]:
    """(index, number of the first loan, loans) of each chunk."""
    for index, start in enumerate(range(0, loans, CHUNK)):
        yield index, start + 1, min(CHUNK, loans - start)


def contracts(order: Order, first: int, loans: int, random: np.random.Generator) -> Plan:
    """Loans with their schedules; no payment planned yet."""
    calendar, lending = order.calendar, order.lender.lending
    loans_each = choice(random, LOANS_PER_BORROWER, loans)
    if first == 1 and loans >= LEAST_LOANS:
        loans_each = np.concatenate([borrowers_of(order.lender.stories), loans_each])
    borrower = np.repeat(np.arange(len(loans_each)), loans_each)[:loans]
    borrowers = int(borrower[-1]) + 1
    count = choice(random, lending.instalments, loans)
    disbursed = calendar.disbursals(loans, random)
    day_of_month = choice(random, lending.due_days, loans)
    day_of_month = np.where(day_of_month == 0, random.integers(2, 29, loans), day_of_month)
    mean, deviation, least, most = lending.principal
    drawn_principal = np.clip(np.exp(random.normal(mean, deviation, loans)), least, most)
    principal = np.round(drawn_principal / 10).astype(np.int64) * 1000
    cells = Cells.empty(loans)
    in_schedule = np.arange(SLOTS) < count[:, None]
    cells.due[in_schedule] = calendar.due_days(disbursed, day_of_month, SLOTS)[in_schedule]
    plan = Plan(
        lender=order.lender,
        calendar=calendar,
        first=first,
        borrower=borrower,
        risk=choice(random, RISK_FACTORS, borrowers),
        disbursed=disbursed,
        count=count,
        product=choice(random, lending.products, loans).astype("<U24"),
        principal=principal,
        grace=choice(random, GRACE_DAYS, loans).astype(np.int32),
        cells=cells,
        charged_off=np.full(loans, NEVER, dtype=np.int32),
        ended=np.full(loans, NEVER, dtype=np.int32),
        ended_code=np.full(loans, "", dtype="<U12"),
        pauses=no_pauses(),
        story=np.full(loans, "", dtype="<U24"),
    )
    place(plan)
    cells.principal[:] = _spread(principal, plan.count)
    interest = principal * choice(random, lending.monthly_rate_bps, loans) * plan.count // 10_000
    cells.interest[:] = _spread(interest, plan.count)
    cells.fee[:, 0] = np.where(drawn(random, 0.15, loans), principal // 100, 0)
    return plan


def make(order: Order, index: int, first: int, loans: int) -> Plan:
    """One whole chunk of the world: contracts, then what people do, then the arranged stories."""
    random = np.random.default_rng((order.seed, index))
    plan = contracts(order, first, loans, random)
    behave(plan, random)
    play(plan)
    return plan


def _spread(total: Amounts, count: npt.NDArray[np.int64]) -> Amounts:
    """Equal shares over the first ``count`` slots, what is left over in the last."""
    slot = np.arange(SLOTS)
    share = (total // count)[:, None]
    last = (total - share[:, 0] * (count - 1))[:, None]
    return np.where(slot < count[:, None] - 1, share, np.where(slot == count[:, None] - 1, last, 0))
