"""Cost to collect."""

from __future__ import annotations

from arrears.metrics.model import Lateness, Metric

METRIC = Metric(
    name="Cost to collect",
    chinese="催收成本率",
    formula="Cost of collection, over cash received on loans that were past due.",
    numerator="cost_minor",
    denominator="collected_minor",
    ratio=("cost_ratio",),
    grain="portfolio x month x currency",
    view="cost_to_collect_monthly",
    facts=("fct_summary_daily", "fct_payment_allocated"),
    lateness=Lateness.PAID_LATE,
    source="Both of the same month",
    minds="Not available, never 0, without a cost table for every published close.",
)
