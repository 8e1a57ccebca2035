"""The page of metrics: formula, both sides, grain and source of each, from its module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arrears.metrics import metrics
from arrears.warehouse.bi import views

if TYPE_CHECKING:
    from arrears.metrics import Metric


def pages() -> dict[str, str]:
    """``metrics.md``."""
    lines = [
        "# Metrics",
        "",
        "Each is one view of `bi`: both sides are stored, a ratio is made only there, and rounded half up.",
        "Nothing to divide by gives NULL; a source that is not delivered gives NULL: not available, never 0.",
        "Monthly metrics are made from the daily facts: when a day is corrected and published again, they follow.",
        "",
        "| metric | 中文 | view |",
        "|---|---|---|",
        *(f"| [{one.name}](#{_anchor(one)}) | {one.chinese} | `bi.{one.view}` |" for one in metrics()),
        "",
    ]
    return {"metrics.md": "\n".join([*lines, *map(_metric, metrics())])}


def _anchor(metric: Metric) -> str:
    kept = (letter for letter in metric.name.lower() if letter.isalnum() or letter in " -")
    return "".join(kept).replace(" ", "-")


def _metric(metric: Metric) -> str:
    (view,) = (view for view in views() if view.name == metric.view)
    ratios = "".join(f"\n| `{name}` | {view.meanings[name]} |" for name in metric.ratio)
    return "\n".join(
        [
            f"## {metric.name}",
            f"{metric.chinese}. {metric.formula}",
            "",
            f"* numerator: {metric.numerator}" + (f"; denominator: {metric.denominator}" if metric.denominator else ""),
            f"* grain: {metric.grain}",
            f"* from: {', '.join(f'`mart.{fact}`' for fact in metric.facts)}",
            f"* late: {metric.lateness}",
            f"* source: {metric.source}",
            f"* mind: {metric.minds}",
            "",
            f"| column of `bi.{metric.view}` | |",
            "|---|---|" + ratios,
            "",
        ]
    )
