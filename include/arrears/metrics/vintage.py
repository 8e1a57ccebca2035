# ruff: noqa: RUF001  Chinese has its own punctuation
"""Vintage."""

from __future__ import annotations

from arrears.metrics.model import Lateness, Metric

METRIC = Metric(
    name="Vintage",
    chinese="Vintage（账龄）",
    formula="Outstanding principal of a month's disbursements that is 30 days past due or more at a month on "
    "book, over what was disbursed; ever: loans that have been.",
    numerator="overdue30_minor; ever30_loans",
    denominator="disbursed_minor; loans",
    ratio=("overdue30_ratio", "ever30_ratio", "overdue90_ratio", "ever90_ratio"),
    grain="portfolio x month-end close x month of disbursement x product x currency",
    view="vintage_monthly",
    facts=("fct_vintage_monthly",),
    lateness=Lateness.DAYS,
    source="第 k 个 MOB 月逾期 M1+ 的剩余本金 / 基准月放款额",
    minds="Cancelled loans are in neither figure. "
    "A month on book that is not over has no row. Ever is of published days: arrears between two month "
    "ends of history are not seen.",
)
