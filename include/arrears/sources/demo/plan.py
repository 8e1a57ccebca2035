"""The plan of one chunk of the world, which everything else is made from.

Belongs here: the shape of a plan and questions to it. ``world`` draws it; ``truth`` and ``tables`` read it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from arrears.sources.demo.calendar import NEVER, Amounts, Calendar, Days, Mask

if TYPE_CHECKING:
    from arrears.sources.demo.cells import Cells
    from arrears.sources.demo.lender import Lender


LOANS_A_MISTAKE = 2_500  # one set of planted mistakes for so many loans
LEAST_LOANS = 1_000  # a smaller chunk has none: a single bad row could pass the reject limit


@dataclass
class Pauses:
    """Flat arrays, one row per pause; at most two a loan.

    Attributes:
        loan: Row of the loan in its chunk.
        starts_on: First paused day.
        ends_on: Day on which counting resumes; NEVER while it lasts.
        known_on: Day the pause was booked.
        end_known_on: Day its end was booked.
        reason: Reason code.
    """

    loan: npt.NDArray[np.intp]
    starts_on: Days
    ends_on: Days
    known_on: Days
    end_known_on: Days
    reason: npt.NDArray[Any]

    def take(self, where: npt.NDArray[Any]) -> Pauses:
        """The pauses selected by a mask or index."""
        return Pauses(*(getattr(self, name)[where] for name in self.__dataclass_fields__))

    def ends_as_known(self, close: int) -> Days:
        """``ends_on`` as known at a close: open-ended until the end is booked."""
        return np.where(self.end_known_on <= close, self.ends_on, NEVER).astype(np.int32)


@dataclass
class Promises:
    """Flat arrays, one row per promise to pay.

    Attributes:
        loan: Row of the loan in its chunk.
        contact: Number of the contact in which it was made.
        agent: Number of the agent it was made to; 0: to a machine.
        made_on: Day it was made.
        second: Of that day.
        amount_minor: How much, minor units.
        due_on: Last day on which the promised money may be credited.
        kept_on: Day from which the money counts, credited by ``due_on``; NEVER where it was not kept.
    """

    loan: npt.NDArray[np.intp]
    contact: npt.NDArray[np.int64]
    agent: npt.NDArray[np.int64]
    made_on: Days
    second: npt.NDArray[np.int64]
    amount_minor: Amounts
    due_on: Days
    kept_on: Days


def no_promises() -> Promises:
    """No row."""
    none, number = np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int64)
    return Promises(none.astype(np.intp), number, number, none, number, number, none, none)


@dataclass
class Plan:
    """One chunk of the world.

    Attributes:
        lender: Whose loans they are.
        calendar: Its days.
        first: Number of the first loan; loans are numbered through the whole ledger.
        borrower: (n,) row of the borrower.
        risk: (borrowers,) factor on the chance to pay late.
        disbursed: (n,) day of disbursal.
        count: (n,) instalments.
        product: (n,) product code.
        principal: (n,) principal granted, minor units.
        grace: (n,) grace days; -1 where the portfolio's hold.
        cells: What is due and how it is paid.
        charged_off: (n,) day of charge-off.
        ended: (n,) day of an ending other than full payment.
        ended_code: (n,) status after it.
        pauses: Lawful deferrals.
        story: (n,) name of a planted story, or "".
        promises: What was promised in contacts.
    """

    lender: Lender
    calendar: Calendar
    first: int
    borrower: npt.NDArray[np.intp]
    risk: npt.NDArray[np.float64]
    disbursed: Days
    count: npt.NDArray[np.int64]
    product: npt.NDArray[Any]
    principal: Amounts
    grace: npt.NDArray[np.int32]
    cells: Cells
    charged_off: Days
    ended: Days
    ended_code: npt.NDArray[Any]
    pauses: Pauses
    story: npt.NDArray[Any]
    promises: Promises = field(default_factory=no_promises)

    @property
    def loans(self) -> int:
        """Number of loans."""
        return len(self.borrower)

    @property
    def hosts(self) -> int:
        """How many loans, the chunk's last, are cancelled to carry the planted mistakes: two for each set of them."""
        sets = max(self.loans // LOANS_A_MISTAKE, 1) if self.loans >= LEAST_LOANS else 0
        return 2 * sets

    @property
    def numbers(self) -> npt.NDArray[np.int64]:
        """(n,) number of each loan in the whole ledger."""
        return self.first + np.arange(self.loans, dtype=np.int64)

    @property
    def borrower_numbers(self) -> npt.NDArray[np.int64]:
        """(borrowers,) number of each borrower: that of their first loan, so that chunks never share one."""
        return self.first + np.searchsorted(self.borrower, np.arange(self.borrower[-1] + 1))

    def is_late_at(self, close: int) -> Mask:
        """Loans with an instalment due by the close whose clearing payment does not count yet; ended ones are not."""
        unpaid = (self.cells.due <= close) & (self.cells.visible > close)
        late: Mask = unpaid.any(axis=1) & (self.ended > close) & (self.disbursed <= close)
        return late


def no_pauses() -> Pauses:
    """No row."""
    none = np.empty(0, dtype=np.int32)
    return Pauses(none.astype(np.intp), none, none, none, none, none.astype("<U16"))
