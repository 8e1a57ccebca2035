"""What a portfolio's owner decides, as ``portfolio.yaml`` says it: how loans age, what is held, how far is too far.

Belongs here: the shape of each part and its readable mistakes. The whole, and its folder, stand in ``portfolio``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from arrears.policy.documents import Document
from arrears.rules.ageing import Terms
from arrears.rules.allocation import Waterfall, Waterfalls
from arrears.rules.bucket_sets import NAMED
from arrears.rules.departure import Limits
from arrears.rules.materiality import Materiality

Component = Literal["principal", "interest", "fee", "penalty"]


def each_once(order: tuple[Component, ...]) -> tuple[Component, ...]:
    """The components, none of them twice."""
    if len(set(order)) != len(order):
        raise ValueError("each of penalty, fee, interest, principal exactly once")
    return order


ComponentOrder = Annotated[tuple[Component, Component, Component, Component], AfterValidator(each_once)]
PaymentKind = Literal["repayment", "waiver", "goodwill_credit", "merchant_refund", "payout_refund"]


class Allocation(Document):
    """How payments are spread where one component order does not say it all.

    Attributes:
        past_due: Component order for instalments due before the payment; left out: ``allocation_order``.
        due: For those due on its date.
        in_advance: For later ones.
        processing: ``horizontal``: an instalment before the next; ``vertical``: a component before the next.
        prepays: Which later instalment is paid in advance.
    """

    past_due: ComponentOrder | None = None
    due: ComponentOrder | None = None
    in_advance: ComponentOrder | None = None
    processing: Literal["horizontal", "vertical"] = "horizontal"
    prepays: Literal["next", "last", "reamortise"] = "next"

    def waterfall(self, order: tuple[str, ...]) -> Waterfall:
        """As a rule value; ``order`` stands where it says nothing."""
        return Waterfall(
            self.past_due or order, self.due or order, self.in_advance or order, self.processing, self.prepays
        )


class MaterialityRow(Document):
    """Above which amount a loan's arrears are material: both thresholds.

    Attributes:
        minor: Amount.
        bps: Share of the outstanding principal, in basis points (100 = 1 %).
    """

    minor: int = Field(default=0, ge=0)
    bps: int = Field(default=0, ge=0, le=10_000)


class Ageing(Document):
    """How this portfolio counts days.

    Attributes:
        convention: ``elapsed`` (due yesterday = 1 day today), ``inclusive`` (the due date is day 1), ``months_ots`` or
            ``months_mba`` (30 days for each month that is over).
        grace_days: Days of grace before delinquent_days, unless the loan has its own.
        grace: ``subtract`` takes them off; ``threshold`` forgives up to them and counts in full past them.
        tolerance_minor: Cumulative shortfall up to which a loan counts as paid.
        full_payment_pct: Share of an instalment that passes for all of it; 90 by the rule of that name.
        materiality: Thresholds of ``material_days``; without them it is not available.
        allocation_order: Component order inside one instalment; the oldest instalment first.
        allocation: What else there is to say of how payments are spread.
        allocation_by_kind: The same for single kinds of payment.
    """

    convention: Literal["elapsed", "inclusive", "months_ots", "months_mba"] = "elapsed"
    grace_days: int = Field(default=0, ge=0, le=365)
    grace: Literal["subtract", "threshold"] = "subtract"
    tolerance_minor: int = Field(default=0, ge=0)
    full_payment_pct: int = Field(default=100, ge=50, le=100)
    materiality: MaterialityRow | None = None
    allocation_order: ComponentOrder = ("penalty", "fee", "interest", "principal")
    allocation: Allocation = Allocation()
    allocation_by_kind: dict[PaymentKind, Allocation] = Field(default_factory=dict)

    @property
    def waterfalls(self) -> Waterfalls:
        """How payments are spread, as a rule value."""
        kinds: dict[str, Waterfall] = {
            kind: each.waterfall(self.allocation_order) for kind, each in self.allocation_by_kind.items()
        }
        return Waterfalls(self.allocation.waterfall(self.allocation_order), kinds)

    @property
    def terms(self) -> Terms:
        """The whole day count, as a rule value."""
        given = self.materiality
        return Terms(
            self.convention,
            self.grace_days,
            self.tolerance_minor,
            self.waterfalls,
            self.grace,
            self.full_payment_pct,
            None if given is None else Materiality(given.minor, given.bps),
        )


class TieOut(Document):
    """How far the source's own figures may be from ours before contact about the loan stops.

    Attributes:
        tolerance_days: Of days past due.
        tolerance_minor: Of the past-due amount and the payoff.
    """

    tolerance_days: int = Field(default=0, ge=0)
    tolerance_minor: int = Field(default=0, ge=0)


class CaseTerms(Document):
    """How long a cure is looked after.

    Attributes:
        reopen_days: Arrears back within so many days of a cure or relief re-open the same case.
        watch_days: Days after a cure, a relief or a new schedule in which arrears count as back again.
    """

    reopen_days: int = Field(default=30, ge=0, le=365)
    watch_days: int = Field(default=90, ge=0, le=730)

    @model_validator(mode="after")
    def _watched_while_reopened(self) -> CaseTerms:
        if self.watch_days < self.reopen_days:
            raise ValueError("watch_days: not shorter than reopen_days")
        return self


class Approval(Document):
    """When a person is asked before a day's plan is sent; the figures are those of ``rules.departure.Limits``.

    Attributes:
        enabled: Whether anybody is asked at all.
        min_days: Days of history without which figures are not compared.
        volume_pct: By how much more than the median of a channel, or how many times fewer.
        volume_floor: Differences of fewer contacts are never a departure.
        blocked_points: Percentage points of the blocked share.
        overdue_pct: Percent of the loans past due on the day before.
    """

    enabled: bool = True
    min_days: int = Field(default=5, ge=1, le=28)
    volume_pct: float = Field(default=100, gt=0)
    volume_floor: int = Field(default=50, ge=0)
    blocked_points: float = Field(default=30, ge=0, le=100)
    overdue_pct: float = Field(default=30, ge=0)

    @property
    def limits(self) -> Limits | None:
        """As a rule value; None when nobody is asked."""
        return Limits(**self.model_dump(exclude={"enabled"})) if self.enabled else None


class Quality(Document):
    """How far a day's ledger may be from the last eight same weekdays.

    Attributes:
        min_days: Known days of those eight without which nothing is compared.
        volume_pct: Percent by which rows or sums may differ from the median before it is told.
        stop_below_pct: A table that every portfolio delivers with fewer rows than this share of the median stops the
            day: who has paid would be asked to.
        floor_rows: Differences of fewer are never told.
        lag_days: Days that the newest transaction may be older than usual.
    """

    min_days: int = Field(default=3, ge=1, le=8)
    volume_pct: int = Field(default=30, ge=1)
    stop_below_pct: int = Field(default=50, ge=0, le=100)
    floor_rows: int = Field(default=20, ge=0)
    lag_days: int = Field(default=2, ge=0)


class Promises(Document):
    """When a promise to pay is kept.

    Attributes:
        tolerance_minor: Shortfall of a promised amount up to which it is kept.
        grace_days: Days after the promised one in which money still counts.
    """

    tolerance_minor: int = Field(default=0, ge=0)
    grace_days: int = Field(default=0, ge=0, le=31)


class AssignmentTerms(Document):
    """How cases are given to agents.

    Attributes:
        soft_capacity_pct: Share of an agent's minutes, in percent, that is given before anybody is given more.
        stale_days: Days without a conversation after which a case goes to another agent, if one has room.
        overflow_queue: Queue, worked by machines, for what nobody has room for; left out: it waits.
        supervisor_queue: Queue of cases that no machine and no agent may work.
    """

    soft_capacity_pct: int = Field(default=90, ge=1, le=100)
    stale_days: int = Field(default=14, ge=1, le=365)
    overflow_queue: str | None = None
    supervisor_queue: str = Field(default="supervisor", min_length=1)


class BucketRow(Document):
    """One bucket: inclusive bounds in days; ``to`` is left out in the last."""

    code: str = Field(min_length=1, max_length=16)
    from_days: Annotated[int, Field(alias="from", ge=0)]
    to_days: Annotated[int | None, Field(alias="to")] = None


def _named_set(given: object) -> object:
    """The rows of a set that is only named."""
    if not isinstance(given, str):
        return given
    if given not in NAMED:
        raise ValueError(f"no bucket set {given!r}; known: {', '.join(sorted(NAMED))}")
    return [{"code": each.code, "from": each.from_days, "to": each.to_days} for each in NAMED[given]]


BucketRows = Annotated[tuple[BucketRow, ...], BeforeValidator(_named_set)]
