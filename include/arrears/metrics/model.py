"""What a metric is: one frozen value that names its formula, both sides of it, its grain and its source."""

from __future__ import annotations

from dataclasses import dataclass


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
    source: str
    minds: str
