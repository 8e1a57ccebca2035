"""What a metric is: one frozen value that names its formula, both sides of it, its grain and its source."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Lateness(StrEnum):
    """By which of the definitions of lateness (docs/how-to/count-lateness.md) a metric calls a loan late."""

    DAYS = "`past_due_days`: contractual, by the portfolio's convention; pauses and grace are not taken off"
    BUCKET = "`contract_bucket`: the bucket of `past_due_days`; pauses and grace are not taken off"
    UNPAID = "an instalment that is unpaid beyond the portfolio's tolerance at a close"
    PAID_LATE = "`past_due_days` above 0 at the close before the payment"
    WORKED = "the case's own bucket, of `bucket_days`: pauses and grace are taken off"
    STATUS = "the ledger's status `charged_off`, however many days"
    NONE = "none: contacts, minutes and promises of cases, however late"


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: English name.
        chinese: Chinese name.
        formula: In words, with the condition on each side.
        numerator: Column of the view, with its unit.
        denominator: Column of the view, with its unit; "" where the metric is no ratio.
        ratio: Columns of the view that hold it.
        grain: What one row is.
        view: View of ``bi`` that is its SELECT.
        facts: Facts it is made from.
        lateness: By what it calls a loan late.
        source: Where the definition comes from.
        minds: What must be minded in reading it.
    """

    name: str
    chinese: str
    formula: str
    numerator: str
    denominator: str
    ratio: tuple[str, ...]
    grain: str
    view: str
    facts: tuple[str, ...]
    lateness: Lateness
    source: str
    minds: str
