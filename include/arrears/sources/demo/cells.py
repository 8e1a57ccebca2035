"""What is planned for every instalment, and what of it is open at a close.

Belongs here: the meaning of a plan, instalment by instalment. It knows of no ledger, no allocation across
instalments and no ageing rule: money was planned *for* an instalment, oldest first, and that is how it is counted.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from arrears.sources.demo.calendar import NEVER, Amounts, Days, Mask

if TYPE_CHECKING:
    from typing import Self

    import numpy.typing as npt

SLOTS = 13  # twelve instalments and one that a late charge may add after maturity


@dataclass
class Cells:
    """One value per loan and instalment slot; arrays of one shape, usually (loans, ``SLOTS``).

    A slot that is no instalment has ``due`` NEVER and no amounts. Money never comes before the slot to its left is
    cleared. Days on which nothing happens are NEVER, amounts of them are ignored.

    Attributes:
        due: Due day.
        principal: Principal due.
        interest: Interest due.
        fee: Fee due.
        effective: Day the payment that clears the instalment is credited.
        booked: Day that payment is booked; it counts from the later of the two.
        part_on: Day of an earlier payment of a part.
        part_minor: Its amount, below the instalment's total.
        bounce_on: Day of a debit of the whole instalment that the bank returns.
        bounced_on: Day of the return.
        penalty_on: Day a penalty is added.
        penalty_minor: Its amount.
        is_waived: Whether the penalty is waived with the clearing payment.
        charge_on: Effective day of a later charge, added as a fee.
        charge_booked: Day it is booked.
        charge_minor: Its amount.
        chargeback_on: Day a refund re-opens principal.
        chargeback_minor: Its amount.
        short_minor: How much too little the clearing payment brings, made up by the next instalment's.
        settled_on: Day the next instalment's clearing payment counts.
    """

    due: Days
    principal: Amounts
    interest: Amounts
    fee: Amounts
    effective: Days
    booked: Days
    part_on: Days
    part_minor: Amounts
    bounce_on: Days
    bounced_on: Days
    penalty_on: Days
    penalty_minor: Amounts
    is_waived: Mask
    charge_on: Days
    charge_booked: Days
    charge_minor: Amounts
    chargeback_on: Days
    chargeback_minor: Amounts
    short_minor: Amounts
    settled_on: Days

    @classmethod
    def empty(cls, loans: int) -> Self:
        """No instalment anywhere."""
        kinds = {"Days": (NEVER, np.int32), "Amounts": (0, np.int64), "Mask": (False, np.bool_)}
        return cls(**{field.name: np.full((loans, SLOTS), *kinds[str(field.type)]) for field in fields(cls)})

    def reset(self, row: int) -> None:
        """Forget everything about one loan but its schedule."""
        blank = type(self).empty(1)
        for field in fields(self):
            if field.name not in {"due", "principal", "interest", "fee"}:
                getattr(self, field.name)[row] = getattr(blank, field.name)[0]

    def take(self, where: npt.NDArray[np.intp] | tuple[npt.NDArray[np.intp], ...]) -> Self:
        """The cells at an index."""
        return type(self)(**{field.name: getattr(self, field.name)[where] for field in fields(self)})

    def column(self) -> Self:
        """Flat cells as a column, so that days may be given along a second axis."""
        return type(self)(**{field.name: getattr(self, field.name)[:, None] for field in fields(self)})

    @property
    def exists(self) -> Mask:
        """Which slots are instalments."""
        return self.due < NEVER

    @property
    def visible(self) -> Days:
        """Day from which the clearing payment counts."""
        return np.minimum(np.maximum(self.effective, self.booked), NEVER)

    @property
    def charge_visible(self) -> Days:
        """Day from which the charge counts."""
        return np.maximum(self.charge_on, self.charge_booked)

    @property
    def scheduled(self) -> Amounts:
        """Total by the schedule, without what was added later."""
        return self.principal + self.interest + self.fee

    @property
    def is_twisted(self) -> Mask:
        """Cells with more to tell than one clearing payment of the scheduled amount."""
        happenings = (self.part_on, self.bounce_on, self.penalty_on, self.charge_on, self.chargeback_on)
        something: Mask = np.logical_or.reduce([on < NEVER for on in happenings])
        return something | (self.short_minor > 0)

    def owed(self, close: int | Days) -> tuple[Amounts, Amounts, Amounts, Amounts]:
        """Principal, interest, fee and penalty known at a close, paid or not."""
        return (
            self.principal + np.where(self.chargeback_on <= close, self.chargeback_minor, 0),
            self.interest + np.zeros_like(self.principal),
            self.fee + np.where(self.charge_visible <= close, self.charge_minor, 0),
            np.where(self.penalty_on <= close, self.penalty_minor, 0),
        )

    def open_at(self, close: int | Days) -> tuple[Amounts, Amounts, Amounts, Amounts]:
        """Principal, interest, fee and penalty not paid at a close, whether due yet or not.

        What was paid of an instalment went to its penalty first, then fee, interest, principal.

        Args:
            close: The last day that is known of; broadcast against the cells.

        Returns:
            Four arrays of the broadcast shape, minor units, never negative.
        """
        principal, interest, fee, penalty = self.owed(close)
        total = principal + interest + fee + penalty
        paid = np.where(self.part_on <= close, self.part_minor, 0)
        paid = paid + np.where((self.bounce_on <= close) & (close < self.bounced_on), self._debited, 0)
        still_short = np.where(self.settled_on <= close, 0, self.short_minor)
        left = np.where(self.visible <= close, still_short, total - paid)
        open_principal = np.minimum(left, principal)
        open_interest = np.minimum(left - open_principal, interest)
        open_fee = np.minimum(left - open_principal - open_interest, fee)
        return open_principal, open_interest, open_fee, left - open_principal - open_interest - open_fee

    @property
    def _debited(self) -> Amounts:
        """Amount of the debit that is returned: the schedule's, as known when it was sent."""
        return self.scheduled

    @property
    def clearing_minor(self) -> Amounts:
        """Amount of the clearing payment, waived penalty included: everything added before, less what was paid."""
        added = np.where(self.penalty_on < NEVER, self.penalty_minor, 0)
        added = added + np.where(self.charge_on < NEVER, self.charge_minor, 0)
        added = added + np.where(self.chargeback_on < NEVER, self.chargeback_minor, 0)
        paid = np.where(self.part_on < NEVER, self.part_minor, 0)
        carried = np.zeros_like(self.short_minor)
        carried[:, 1:] = np.where(self.visible[:, :-1] < NEVER, self.short_minor[:, :-1], 0)
        return self.scheduled + added - paid - self.short_minor + carried
